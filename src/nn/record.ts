/** Notes which modules are called, with which inputs and output, while somebody listens (summaries, anomaly detection). */

export type CallListener = (module: object, inputs: readonly unknown[], output: unknown) => void;

let listener: CallListener | undefined;

export function recordCall(module: object, inputs: readonly unknown[], output: unknown): void {
  listener?.(module, inputs, output);
}

/** Runs `body` with a listener that hears of every finished `apply`. */
export function listening<T>(heard: CallListener, body: () => T): T {
  const before = listener;
  listener = heard;
  try {
    return body();
  } finally {
    listener = before;
  }
}

/** Where the commands write: with --json events to stdout, one JSON object per line, and text to stderr; otherwise text to stdout. */
export interface Output {
  readonly json: boolean;
  /** Text for people. */
  text(line?: string): void;
  /** One line of JSON; nothing without --json. */
  event(event: string, fields: Readonly<Record<string, unknown>>): void;
  /** The stream that text goes to. */
  readonly stream: NodeJS.WriteStream;
}

export function newOutput(json: boolean): Output {
  const stream = json ? process.stderr : process.stdout;
  return {
    json,
    stream,
    text: (line = '') => void stream.write(`${line}\n`),
    event: (event, fields) => {
      if (json) process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
    },
  };
}

/** Whether colours may be used on a stream. */
export const hasColour = (stream: NodeJS.WriteStream): boolean => stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';

/** 0.9876 → 98.76 % */
export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** Turns of the event loop: timers, messages, input and finalizers run between two tasks, never between two promises. */

type Later = (task: () => void) => unknown;

/** In pages a message is quicker than a timer, which waits for 4 ms. */
function byMessage(): Later {
  const { port1, port2 } = new MessageChannel();
  const tasks: (() => void)[] = [];
  port1.onmessage = () => tasks.shift()?.();
  return (task) => {
    tasks.push(task);
    port2.postMessage(undefined);
  };
}

let later = (globalThis as { setImmediate?: Later }).setImmediate;

/** Lets everything else that waits have its turn. */
export function turn(): Promise<void> {
  later ??= byMessage();
  return new Promise(later);
}

/** lambda: a callback from single functions, with its hooks checked. */
import { didYouMean, fail } from '../core/errors.ts';
import { type Callback, hooks } from './callback.ts';

/** `lambda({ epochEnd: (run) => console.log(run.figures) })`. A plain object of hooks does the same; here a misspelt hook is an error. */
export function lambda(callback: Callback): Callback {
  const known = [...hooks, 'close', 'state', 'restore', 'name', 'saves', 'batchInterval'];
  for (const name of Object.keys(callback)) {
    if (!known.includes(name)) fail('argument', 'lambda', `there is no hook ${name}`, didYouMean(name, known) ?? `There are ${hooks.join(', ')} and close.`);
  }
  return callback;
}

/** Compile time of training steps: with an empty and with a full cache of kernels, always in a process of its own. */
import { median, rounded } from './numbers.mjs';
import { printer } from './output.mjs';
import { ask, withCache } from './probes.mjs';

const names = ['lenet3-b32-train', 'alexnet-b32-train'];
/** Folders, each used cold and then warm; medians over them. */
const folders = 3;

export async function compileReport(settings) {
  const print = printer(settings, [['workload', 30], ...['cold_ms', 'warm_ms', 'first_call_ms'].map((key) => [key, 14])]);
  for (const workload of names) {
    const [cold, warm] = [[], []];
    for (let i = 0; i < folders; i++) {
      await withCache(async (cache) => {
        for (const list of [cold, warm]) list.push(await ask('compile.mjs', [workload], cache, settings.threads));
      });
    }
    const of = (rows, key) => rounded(median(rows.map((row) => row[key])), 1);
    print({ name: 'compile', workload, cold_ms: of(cold, 'compile_ms'), warm_ms: of(warm, 'compile_ms'), first_call_ms: of(warm, 'first_call_ms') });
  }
  return true;
}

/** Memory that does not grow, without any dispose. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { compile, gradients, random, variable } from '../../src/tensor/index.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is alive, in MB. Array buffers are swept in the background: the third collection sees them gone. */
async function megabytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}

describe('memory', () => {
  it('does not grow with 20,000 lazy evaluations nor 20,000 compiled steps', async () => {
    const w = variable(random.normal([16, 16], { seed: 1 }));
    const x = random.normal([8, 16], { seed: 2 });
    await x.realize();
    const loss = (scale: number) => {
      const value = x.matmul(w).mul(scale).tanh().square().mean();
      const [dw] = gradients(value, [w]);
      w.assign(w.sub(dw.mul(0.01)));
      return value;
    };
    const step = compile(() => loss(1));
    for (let i = 0; i < 2000; i++) await loss(1 + i * 1e-6).item();
    for (let i = 0; i < 200; i++) await step().item();
    const start = await megabytes();
    for (let i = 0; i < 20000; i++) await loss(1 + i * 1e-6).item();
    expect((await megabytes()) - start).toBeLessThan(8);
    for (let i = 0; i < 20000; i++) await step().item();
    expect((await megabytes()) - start).toBeLessThan(8);
  });
});

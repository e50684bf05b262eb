/** Optimizers against their recurrences written out in plain numbers, on a quadratic in float64; states, clipping, refusals. */
import { describe, expect, it } from 'vitest';
import { compile, type Tensor, tensor, type Variable, variable } from '../tensor/index.ts';
import * as optim from './index.ts';

const start = [1, -2, 0.5, 3];
const curvature = [1, 4, 0.5, 10];
const newPoint = (): Variable => variable(new Float64Array(start), { shape: [4] });
/** ½ Σ a p², gradient a p. */
const quadratic = (p: Tensor): Tensor =>
  p
    .square()
    .mul(tensor(new Float64Array(curvature)))
    .sum()
    .mul(0.5);

type Step = (p: number, g: number, t: number, slots: number[]) => number;

/** 20 steps of a recurrence on each coordinate. */
const recurrence = (step: Step): number[] =>
  start.map((first, i) => {
    const slots = [0, 0, 0];
    let p = first;
    for (let t = 1; t <= 20; t++) p = step(p, curvature[i] * p, t, slots);
    return p;
  });

const adamStep =
  (lr: number, decay: number, decoupled: boolean): Step =>
  (p, g0, t, s) => {
    const [b1, b2, eps] = [0.9, 0.999, 1e-8];
    const g = decoupled ? g0 : g0 + decay * p;
    s[0] = b1 * s[0] + (1 - b1) * g;
    s[1] = b2 * s[1] + (1 - b2) * g * g;
    const denominator = Math.sqrt(s[1]) / Math.sqrt(1 - b2 ** t) + eps;
    return p * (decoupled ? 1 - lr * decay : 1) - ((lr / (1 - b1 ** t)) * s[0]) / denominator;
  };

const cases: [string, () => optim.Optimizer, Step][] = [
  ['sgd', () => optim.sgd({ learningRate: 0.05 }), (p, g) => p - 0.05 * g],
  ['sgd with weight decay', () => optim.sgd({ learningRate: 0.05, weightDecay: 0.1 }), (p, g) => p - 0.05 * (g + 0.1 * p)],
  [
    'sgd with momentum',
    () => optim.sgd({ learningRate: 0.01, momentum: 0.9, weightDecay: 0.1 }),
    (p, g, _t, s) => {
      s[0] = 0.9 * s[0] + g + 0.1 * p;
      return p - 0.01 * s[0];
    },
  ],
  [
    'sgd with Nesterov momentum',
    () => optim.sgd({ learningRate: 0.01, momentum: 0.9, nesterov: true }),
    (p, g, _t, s) => {
      s[0] = 0.9 * s[0] + g;
      return p - 0.01 * (g + 0.9 * s[0]);
    },
  ],
  ['adam', () => optim.adam({ learningRate: 0.01 }), adamStep(0.01, 0, false)],
  ['adam with weight decay', () => optim.adam({ learningRate: 0.01, weightDecay: 0.1 }), adamStep(0.01, 0.1, false)],
  ['adamW', () => optim.adamW({ learningRate: 0.01, weightDecay: 0.1 }), adamStep(0.01, 0.1, true)],
  [
    'rmsProp',
    () => optim.rmsProp({ learningRate: 0.01, decay: 0.95 }),
    (p, g, _t, s) => {
      s[0] = 0.95 * s[0] + 0.05 * g * g;
      return p - (0.01 * g) / (Math.sqrt(s[0]) + 1e-8);
    },
  ],
  [
    'rmsProp centred with momentum',
    () => optim.rmsProp({ learningRate: 0.001, centered: true, momentum: 0.5, epsilon: 0.01 }),
    (p, g, _t, s) => {
      s[0] = 0.99 * s[0] + 0.01 * g * g;
      s[1] = 0.99 * s[1] + 0.01 * g;
      s[2] = 0.5 * s[2] + g / (Math.sqrt(s[0] - s[1] * s[1]) + 0.01);
      return p - 0.001 * s[2];
    },
  ],
  [
    'adagrad',
    () => optim.adagrad({ learningRate: 0.1, weightDecay: 0.1 }),
    (p, g0, _t, s) => {
      const g = g0 + 0.1 * p;
      s[0] += g * g;
      return p - (0.1 * g) / (Math.sqrt(s[0]) + 1e-10);
    },
  ],
  [
    'adadelta',
    () => optim.adadelta({ learningRate: 0.5 }),
    (p, g, _t, s) => {
      s[0] = 0.9 * s[0] + 0.1 * g * g;
      const d = (g * Math.sqrt(s[1] + 1e-6)) / Math.sqrt(s[0] + 1e-6);
      s[1] = 0.9 * s[1] + 0.1 * d * d;
      return p - 0.5 * d;
    },
  ],
  [
    'adaMax',
    () => optim.adaMax({ learningRate: 0.01 }),
    (p, g, t, s) => {
      s[0] = 0.9 * s[0] + 0.1 * g;
      s[1] = Math.max(0.999 * s[1], Math.abs(g) + 1e-8);
      return p - (0.01 / (1 - 0.9 ** t)) * (s[0] / s[1]);
    },
  ],
  [
    'nadam',
    () => optim.nadam({ learningRate: 0.01, weightDecay: 0.1 }),
    (p, g0, t, s) => {
      const g = g0 + 0.1 * p;
      const mu = (k: number) => 0.9 * (1 - 0.5 * 0.96 ** (0.004 * k));
      s[0] = 0.9 * s[0] + 0.1 * g;
      s[1] = 0.999 * s[1] + 0.001 * g * g;
      s[2] = (t === 1 ? 1 : s[2]) * mu(t);
      const d = (mu(t + 1) * s[0]) / (1 - s[2] * mu(t + 1)) + ((1 - mu(t)) * g) / (1 - s[2]);
      return p - (0.01 * d) / (Math.sqrt(s[1] / (1 - 0.999 ** t)) + 1e-8);
    },
  ],
  [
    'amsgrad',
    () => optim.amsgrad({ learningRate: 0.01, beta2: 0.9 }),
    (p, g, t, s) => {
      s[0] = 0.9 * s[0] + 0.1 * g;
      s[1] = 0.9 * s[1] + 0.1 * g * g;
      s[2] = Math.max(s[1], s[2]);
      return p - ((0.01 / (1 - 0.9 ** t)) * s[0]) / (Math.sqrt(s[2]) / Math.sqrt(1 - 0.9 ** t) + 1e-8);
    },
  ],
  [
    'lion',
    () => optim.lion({ learningRate: 0.01, weightDecay: 0.1 }),
    (p, g, _t, s) => {
      const c = Math.sign(0.9 * s[0] + (1 - 0.9) * g);
      s[0] = 0.99 * s[0] + 0.01 * g;
      return p - 0.01 * (c + 0.1 * p);
    },
  ],
];

describe('optimizers', () => {
  it.each(cases)('%s follows its recurrence for 20 steps', (_name, make, step) => {
    const [p, optimizer] = [newPoint(), make()];
    for (let t = 0; t < 20; t++) {
      optimizer.minimize(quadratic(p), [p]);
      p.dataSync();
    }
    const expected = recurrence(step);
    const data = p.dataSync();
    expected.forEach((value, i) => {
      expect(Math.abs(data[i] - value)).toBeLessThan(1e-12);
    });
  });

  it.each(cases)('%s does the same when compiled', (_name, make, step) => {
    const [p, optimizer] = [newPoint(), make()];
    const train = compile(() => {
      const loss = quadratic(p);
      optimizer.minimize(loss, { p });
      return loss;
    });
    for (let t = 0; t < 20; t++) train();
    const data = p.dataSync();
    recurrence(step).forEach((value, i) => {
      expect(Math.abs(data[i] - value)).toBeLessThan(1e-12);
    });
  });

  it("Adam's first step is −learningRate · sign(g)", () => {
    const p = newPoint();
    optim.adam({ learningRate: 0.125, epsilon: 0 }).minimize(quadratic(p), [p]);
    p.dataSync().forEach((value, i) => {
      expect(value).toBeCloseTo(start[i] - 0.125 * Math.sign(start[i]), 12);
    });
  });

  it('a new learning rate takes effect in a compiled step', () => {
    const [p, optimizer] = [variable([1]), optim.sgd({ learningRate: 0.5 })];
    const train = compile(() => optimizer.minimize(p.sum(), [p]));
    train();
    expect(p.itemSync()).toBe(0.5);
    optimizer.learningRate = 0.25;
    train();
    expect(p.itemSync()).toBe(0.25);
    expect(optimizer.learningRate).toBe(0.25);
  });

  it('clips by value and by global norm', () => {
    const [a, b] = [variable([3]), variable([4])];
    optim.sgd({ learningRate: 1, clipNorm: 1 }).minimize(a.square().sum().add(b.square().sum()).mul(0.5), { a, b });
    expect(a.itemSync()).toBeCloseTo(3 - 0.6, 5);
    expect(b.itemSync()).toBeCloseTo(4 - 0.8, 5);
    const c = variable([3]);
    optim.sgd({ learningRate: 1, clipValue: 0.5 }).minimize(c.square().sum(), [c]);
    expect(c.itemSync()).toBe(2.5);
  });

  it('goes on from a saved state exactly', () => {
    const run = (steps: number, optimizer: optim.Optimizer, p: Variable) => {
      for (let t = 0; t < steps; t++) {
        optimizer.minimize(quadratic(p), { p });
        p.dataSync();
      }
    };
    const [p, whole] = [newPoint(), optim.adam({ learningRate: 0.01 })];
    run(10, whole, p);
    const state = whole.stateDict();
    expect(Object.keys(state)).toEqual(['step', 'learningRate', 'firstMoment.p', 'secondMoment.p']);
    const [q, resumed] = [variable(p.snapshot()), optim.adam({ learningRate: 1 })];
    resumed.loadStateDict(state);
    run(5, whole, p);
    run(5, resumed, q);
    expect([...q.dataSync()]).toEqual([...p.dataSync()]);
    expect(resumed.step.itemSync()).toBe(15);
    expect(() => optim.sgd({ momentum: 0.9 }).loadStateDict(state)).toThrow(
      'loadStateDict: sgd has no firstMoment.p; its state is momentum. Was it saved by another optimizer, or with other options?',
    );
  });

  it('refuses what it does not know', () => {
    const p = variable([1, 2]);
    expect(() => optim.sgd({ lr: 0.1 } as object)).toThrow('sgd: unknown option lr.');
    expect(() => optim.adam({ beta: 0.1 } as object)).toThrow('adam: unknown option beta. Did you mean beta1?');
    expect(() => optim.sgd({ learningRate: -1 })).toThrow('sgd: learningRate must be a finite number ≥ 0, got -1.');
    expect(() => optim.sgd({ nesterov: true })).toThrow('sgd: nesterov needs a momentum. Pass momentum: 0.9, say.');
    expect(() => optim.sgd().minimize(p.square(), [p])).toThrow('minimize: the loss must be a scalar, got [2]. Use mean() or sum().');
    expect(() => optim.sgd().minimize(p.sum(), [])).toThrow('minimize: there is nothing to train. Is everything frozen, or has the model no parameters?');
  });
});

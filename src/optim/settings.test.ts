/** What all optimizers share: schedules, groups, penalties and constraints, accumulation, averages of weights; and AMSGrad's counter-example. */
import { describe, expect, it } from 'vitest';
import * as nn from '../nn/index.ts';
import { compile, random, scan, type Tensor, tensor, type Variable, variable, where, zeros } from '../tensor/index.ts';
import * as optim from './index.ts';

const point = (...values: number[]): Variable => variable(Float64Array.from(values));
/** Σ p: a gradient of 1 everywhere. */
const slope = (p: Tensor): Tensor => p.sum();

describe('schedules', () => {
  const cases: [string, optim.Schedule, (t: number) => number][] = [
    ['step', optim.stepDecay({ every: 10, factor: 0.5 }), (t) => 0.5 ** Math.floor(t / 10)],
    ['steps', optim.stepDecay({ at: [5, 20] }), (t) => (t < 5 ? 1 : t < 20 ? 0.1 : 0.01)],
    ['exponential', optim.exponentialDecay({ factor: 0.9, every: 3 }), (t) => 0.9 ** (t / 3)],
    ['cosine', optim.cosineDecay({ steps: 30, end: 0.1 }), (t) => 0.1 + (0.9 * (1 + Math.cos((Math.PI * Math.min(t, 30)) / 30))) / 2],
    ['cosine with restarts', optim.cosineDecay({ steps: 7, restarts: true }), (t) => (1 + Math.cos((Math.PI * (t % 7)) / 7)) / 2],
    [
      'cosine with longer and longer restarts',
      optim.cosineDecay({ steps: 5, restarts: true, growth: 2 }),
      (t) => {
        let [begin, length] = [0, 5];
        while (t >= begin + length) [begin, length] = [begin + length, 2 * length];
        return (1 + Math.cos((Math.PI * (t - begin)) / length)) / 2;
      },
    ],
    ['polynomial', optim.polynomialDecay({ steps: 30, power: 2, end: 0.2 }), (t) => 0.2 + 0.8 * (1 - Math.min(t, 30) / 30) ** 2],
    ['linear', optim.polynomialDecay({ steps: 30 }), (t) => 1 - Math.min(t, 30) / 30],
    [
      'one cycle',
      optim.oneCycle({ steps: 40, up: 0.25, start: 0.1, end: 0.01 }),
      (t) => {
        const [from, to, share] = t <= 9 ? [0.1, 1, t / 9] : [1, 0.01, (Math.min(t, 39) - 9) / 30];
        return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
      },
    ],
    ['warm-up', optim.warmUp({ steps: 4, start: 0.2 }), (t) => 0.2 + 0.8 * Math.min(1, t / 4)],
    [
      'warm-up, then cosine',
      optim.warmUp({ steps: 4, after: optim.cosineDecay({ steps: 10 }) }),
      (t) => (t < 4 ? t / 4 : (1 + Math.cos((Math.PI * Math.min(10, t - 4)) / 10)) / 2),
    ],
  ];
  it.each(cases)('%s', (_name, schedule, formula) => {
    for (let t = 0; t < 46; t++) expect(optim.scheduleAt(schedule, t), `step ${t}`).toBeCloseTo(formula(t), 10);
  });

  it('run inside the compiled step; the rate still changes by hand, without compiling again', () => {
    const p = point(0);
    const optimizer = optim.sgd({ learningRate: 1, schedule: optim.stepDecay({ every: 2, factor: 0.5 }) });
    let recorded = 0;
    const step = compile(() => {
      recorded++;
      optimizer.minimize(slope(p), [p]);
    });
    for (let t = 0; t < 4; t++) step();
    expect(p.itemSync()).toBeCloseTo(-(1 + 1 + 0.5 + 0.5), 12);
    expect(optimizer.currentLearningRate).toBeCloseTo(0.25, 12);
    optimizer.learningRate = 4;
    step();
    expect(p.itemSync()).toBeCloseTo(-4, 12);
    expect(recorded).toBe(1);
  });

  it('reduceOnPlateau waits, lowers the rate, and goes on from its state', () => {
    const optimizer = { learningRate: 1 };
    const plateau = optim.reduceOnPlateau(optimizer, { patience: 1, factor: 0.5, minimum: 0.3, cooldown: 1 });
    expect([5, 4, 4, 4].map((v) => plateau.observe(v))).toEqual([false, false, false, true]);
    expect(optimizer.learningRate).toBe(0.5);
    const again = optim.reduceOnPlateau(optimizer, { patience: 1, factor: 0.5, minimum: 0.3, cooldown: 1 });
    again.restore(plateau.state);
    expect([4, 4, 4, 4, 4, 4].map((v) => again.observe(v))).toEqual([false, false, true, false, false, false]);
    expect(optimizer.learningRate).toBe(0.3);
  });
});

describe('groups, penalties, constraints', () => {
  it('a group has its own rate and decay', () => {
    const [a, b, c] = [point(1), point(1), point(1)];
    const optimizer = optim.sgd({
      learningRate: 0.1,
      weightDecay: 0.5,
      groups: [
        { match: /^b/, learningRateFactor: 2, weightDecay: 0 },
        { match: 'c', learningRateFactor: 0 },
      ],
    });
    optimizer.minimize(slope(a).add(slope(b)).add(slope(c)), { a, b, c });
    expect([a, b, c].map((v) => v.itemSync())).toEqual([1 - 0.1 * 1.5, 1 - 0.2, 1]);
  });

  it('weight decay is the gradient of ½ λ p², l1 of λ |p|', () => {
    const loss = (p: Tensor): Tensor => p.sin().sum();
    const [p, q] = [point(0.3, -2), point(0.3, -2)];
    optim.sgd({ learningRate: 0.1, weightDecay: 0.2, l1: 0.3 }).minimize(loss(p), [p]);
    optim.sgd({ learningRate: 0.1 }).minimize(loss(q).add(q.square().sum().mul(0.1)).add(q.abs().sum().mul(0.3)), [q]);
    p.dataSync().forEach((value, i) => {
      expect(value).toBeCloseTo(q.dataSync()[i], 14);
    });
  });

  it('maxNorm holds the weights into each unit', () => {
    const w = variable(Float64Array.from([3, 0.1, 4, 0.1]), { shape: [2, 2] });
    const bias = point(9);
    optim.sgd({ learningRate: 0, maxNorm: 1 }).minimize(slope(w).add(slope(bias)), { w, bias });
    expect([...w.dataSync()].map((v) => Math.round(v * 1e9) / 1e9)).toEqual([0.6, 0.1, 0.8, 0.1]);
    expect(bias.itemSync()).toBe(9);
  });

  it('clips each parameter by itself', () => {
    const [a, b] = [point(0, 0), point(0)];
    const found = { a: tensor(Float64Array.from([3, 4])), b: tensor(Float64Array.from([0.5])) };
    optim.sgd({ learningRate: 1, clipParameterNorm: 1 }).apply(found, { a, b });
    expect(a.dataSync()[0]).toBeCloseTo(-0.6, 6);
    expect(b.itemSync()).toBe(-0.5);
  });

  it('refuses what does not fit', () => {
    expect(() => optim.sgd({ groups: [{ match: 'a', rate: 2 } as never] })).toThrow('sgd: unknown option rate.');
    expect(() => optim.lbfgs({ groups: [] })).toThrow('lbfgs: unknown option groups.');
    expect(() => optim.sgd({ schedule: 0.1 as never })).toThrow('sgd: schedule must be a function of the step.');
    expect(() => optim.sgd({ accumulate: 0 })).toThrow('sgd: accumulate must be a whole number ≥ 1, got 0.');
    expect(() => optim.stepDecay({})).toThrow('stepDecay: pass either every or at.');
  });
});

describe('accumulation', () => {
  it('n small batches are one large one, also after a resume in between', () => {
    const x = random.normal([12, 3], { seed: 1, dtype: 'float64' });
    const loss = (p: Tensor, rows: Tensor): Tensor =>
      rows
        .matmul(p.reshape([3, 1]))
        .sub(1)
        .square()
        .mean();
    const make = (accumulate: number) => optim.adam({ learningRate: 0.1, accumulate });
    const [p, whole] = [point(0.1, 0.2, 0.3), make(1)];
    let [q, parts] = [point(0.1, 0.2, 0.3), make(3)];
    for (let t = 0; t < 4; t++) {
      whole.minimize(loss(p, x), { p });
      for (let i = 0; i < 3; i++) {
        parts.minimize(loss(q, x.slice([4 * i], [4])), { p: q });
        q.dataSync();
        if (i === 0) {
          const resumed = make(3);
          resumed.loadStateDict(parts.stateDict());
          [q, parts] = [variable(q.snapshot()), resumed];
        }
      }
    }
    expect(parts.step.itemSync()).toBe(4);
    q.dataSync().forEach((value, i) => {
      expect(value).toBeCloseTo(p.dataSync()[i], 12);
    });
  });
});

describe('averages of weights', () => {
  it('EMA and SWA, swapped in and out, inside the compiled step', () => {
    const run = (options: optim.AverageOptions): { path: number[]; mean: number; back: number } => {
      const p = point(0);
      const average = optim.weightAverage(options);
      const optimizer = optim.sgd({ learningRate: 1, average });
      const step = compile(() => optimizer.minimize(slope(p), { p }));
      const path = Array.from({ length: 6 }, () => {
        step();
        return p.itemSync();
      });
      average.swap({ p });
      const mean = p.itemSync();
      average.swap({ p });
      return { path, mean, back: p.itemSync() };
    };
    expect(run({}).mean).toBeCloseTo(-3.5, 12); // of −1 … −6
    expect(run({ start: 2, every: 2 }).mean).toBeCloseTo(-4, 12); // of −3 and −5
    const ema = run({ decay: 0.9 });
    expect(ema.mean).toBeCloseTo(
      ema.path.reduce((mean, v) => 0.9 * mean + 0.1 * v),
      12,
    );
    expect(ema.back).toBe(-6);
  });

  it('are part of the optimizer and of its state', () => {
    const run = (steps: number, p: Variable, optimizer: optim.Optimizer) => {
      for (let t = 0; t < steps; t++) {
        optimizer.minimize(p.square().sum(), { p });
        p.dataSync();
      }
    };
    const make = (average?: optim.WeightAverage) => optim.sgd({ learningRate: 0.1, momentum: 0.9, ...(average && { average }) });
    const [p, average] = [point(1), optim.weightAverage({ decay: 0.9 })];
    const whole = make(average);
    run(3, p, whole);
    const state = whole.stateDict();
    expect(Object.keys(state)).toEqual(['step', 'learningRate', 'momentum.p', 'average.updates', 'average.p']);
    // Loaded before the average is set, and after.
    const resumed = [false, true].map((late) => {
      const [q, mean] = [variable(p.snapshot()), optim.weightAverage({ decay: 0.9 })];
      const optimizer = make(late ? undefined : mean);
      optimizer.loadStateDict(state);
      optimizer.average = mean;
      return { q, mean, optimizer };
    });
    run(3, p, whole);
    average.swap({ p });
    for (const { q, mean, optimizer } of resumed) {
      run(3, q, optimizer);
      mean.swap({ p: q });
      expect(q.itemSync()).toBe(p.itemSync());
    }
  });
});

describe('identities', () => {
  it('the counter-example of Reddi, Kale & Kumar (2018): Adam runs to +1, AMSGrad to −1', () => {
    const steps = 1_000_000;
    const end = (amsgrad: boolean): Tensor => {
      const rule = optim.adamRule({ beta1: 0.9, beta2: 0.99, amsgrad });
      const names = Object.keys(rule.init({ x: { shape: [] } }));
      const zero = zeros([], { dtype: 'float64' });
      const [last] = scan(
        ({ x, t, state }: { x: Tensor; t: Tensor; state: Record<string, Tensor> }, _: undefined) => {
          const step = t.add(1);
          const g = where(step.mod(101).equal(1), 1010, -10).cast('float64');
          const slots = Object.fromEntries(names.map((name) => [name, { x: state[name] }]));
          // The rate falls as 1 / √t, as the paper's analysis asks; with a constant one AMSGrad stays on a cycle that ends at −0.946.
          const learningRate = step.rsqrt().mul(0.5);
          const updated = rule.update({ parameters: { x }, gradients: { x: g }, state: slots, learningRate, step });
          return [
            { x: updated.parameters.x.clip(-1, 1), t: step, state: Object.fromEntries(names.map((name) => [name, updated.state[name].x])) },
            undefined,
          ] as const;
        },
        { x: zero, t: zero, state: Object.fromEntries(names.map((name) => [name, zero])) },
        undefined,
        { length: steps },
      );
      return last.x;
    };
    expect(end(false).itemSync()).toBe(1);
    expect(end(true).itemSync()).toBeCloseTo(-0.9973216, 6);
  });

  it('the first step of AdaGrad is −learningRate · sign(g); of AdaMax too', () => {
    for (const optimizer of [optim.adagrad({ learningRate: 0.125, epsilon: 0 }), optim.adaMax({ learningRate: 0.125, epsilon: 0 })]) {
      const p = point(3, -0.2);
      optimizer.minimize(p.square().sum(), [p]);
      expect([...p.dataSync()].map((v) => Math.round(v * 1e12) / 1e12)).toEqual([2.875, -0.075]);
    }
  });

  it('L-BFGS solves a quadratic in few steps', () => {
    const p = point(3, -2, 5);
    const optimizer = optim.lbfgs({ history: 5 });
    for (let t = 0; t < 25; t++) {
      optimizer.minimize(
        p
          .sub(1)
          .square()
          .mul(tensor(Float64Array.from([1, 3, 9])))
          .sum()
          .mul(0.5),
        [p],
      );
      p.dataSync();
    }
    for (const value of p.dataSync()) expect(value).toBeCloseTo(1, 6);
  });

  it('L-BFGS with a line search: Rosenbrock to 1e-10, in few evaluations, and a net by heart', async () => {
    const [a, b] = [point(-1.2), point(1)];
    const rosenbrock = () => b.sub(a.square()).square().mul(100).add(a.neg().add(1).square()).sum();
    const result = await optim.lbfgsMinimize(rosenbrock, { a, b });
    expect(result.reason).toBe('gradient');
    expect(result.loss).toBeLessThan(1e-16);
    expect(result.evaluations).toBeLessThan(60);
    for (const value of [a.itemSync(), b.itemSync()]) expect(value).toBeCloseTo(1, 8);

    const x = random.normal([20, 3], { seed: 8, dtype: 'float64' });
    const y = random.normal([20, 2], { seed: 9, dtype: 'float64' });
    const weight = variable(zeros([3, 2], { dtype: 'float64' }));
    const fitted = await optim.lbfgsMinimize(() => nn.meanSquaredError(x.matmul(weight), y), [weight]);
    const residual = x.transpose().matmul(x.matmul(weight).sub(y)); // zero at the least-squares solution
    expect(Math.max(...residual.abs().dataSync())).toBeLessThan(1e-5);
    expect(fitted.iterations).toBeLessThan(20);
    b.assign(tensor(Float64Array.from([3])));
    expect(await optim.lbfgsMinimize(rosenbrock, { a, b }, { maxIterations: 2 })).toMatchObject({ reason: 'iterations', iterations: 2 });
    await expect(optim.lbfgsMinimize(() => a.concat(b), [a, b])).rejects.toThrow('lbfgsMinimize: the loss must be a scalar, got [2]. Use mean() or sum().');
  });

  it('trunk gradients of a multitask net are the sum of the heads', () => {
    const trunk = variable(random.normal([4, 3], { seed: 3, dtype: 'float64' }));
    const x = random.normal([5, 4], { seed: 4, dtype: 'float64' });
    const heads = [nn.meanSquaredError, nn.huber];
    const targets = [0, 1].map((i) => random.normal([5, 3], { seed: 5 + i, dtype: 'float64' }));
    const step = (loss: Tensor): number[] => {
      const before = trunk.snapshot();
      optim.sgd({ learningRate: 1 }).minimize(loss, [trunk]);
      const moved = [...trunk.sub(before).dataSync()];
      trunk.assign(before);
      trunk.dataSync();
      return moved;
    };
    const y = (): Tensor => x.matmul(trunk);
    const both = step(nn.multitask([{ loss: heads[0] }, { loss: heads[1], weight: 0.5 }])([y(), y()], targets));
    const [first, second] = heads.map((loss, i) => step(loss(y(), targets[i])));
    both.forEach((value, i) => {
      expect(value).toBeCloseTo(first[i] + 0.5 * second[i], 12);
    });
  });
});

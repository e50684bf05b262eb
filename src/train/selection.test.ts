/** The search for a learning rate, cross-validation, ensembles and bagging. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromArrays } from '../data/index.ts';
import { generator } from '../data/random.ts';
import * as nn from '../nn/index.ts';
import { adam, sgd } from '../optim/index.ts';
import { random, seed, type Tensor, tensor } from '../tensor/index.ts';
import { bagging, bootstrap, crossValidate, ensemble, evaluate, fit, kFold, learningRateFinder, predict } from './index.ts';

const draw = generator(7);
const inputs = Array.from({ length: 60 }, () => [draw.normal(), draw.normal()]);
const labels = inputs.map(([a, b]) => (a + b > 0 ? 1 : 0));
const data = fromArrays(inputs, labels);
const net = () => nn.sequential(nn.linear(8), nn.tanh(), nn.linear(2));
const rowsOf = async (set: typeof data): Promise<string[]> => {
  const [x] = await set.get(0, set.length);
  return ((await x.array()) as number[][]).map(String);
};

describe('learningRateFinder', () => {
  test('finds the rates of a quadratic: it diverges where it must, and leaves no trace', async () => {
    // Targets 3 x: the loss ½·… is stable for rates below 1 / mean x² = 1.
    const x = Array.from({ length: 64 }, (_, i) => [i % 2 === 0 ? 1 : -1]);
    const line = fromArrays(x, tensor(x.map(([v]) => [3 * v])));
    seed(1);
    const model = nn.sequential(nn.linear(1), nn.batchNorm(), nn.linear(1));
    const optimizer = sgd({ learningRate: 0.123, momentum: 0.5 });
    await fit(model, line, { loss: 'meanSquaredError', optimizer, batchSize: 32 });
    const before = [...Object.values(model.stateDict()), ...Object.values(optimizer.stateDict())].map((value) => String(value.dataSync()));
    const sequence = JSON.stringify(random.state());
    const { points, suggestion, atMinimum } = await learningRateFinder(model, line, {
      loss: 'meanSquaredError',
      optimizer,
      batchSize: 32,
      from: 1e-5,
      to: 100,
    });
    const after = [...Object.values(model.stateDict()), ...Object.values(optimizer.stateDict())].map((value) => String(value.dataSync()));
    expect(after).toEqual(before);
    expect(JSON.stringify(random.state())).toBe(sequence);
    expect(optimizer.learningRate).toBe(0.123);
    expect(points.length).toBeLessThan(100); // it ended when the loss exploded
    expect(points[0].learningRate).toBeCloseTo(1e-5, 12);
    expect(points[1].learningRate / points[0].learningRate).toBeCloseTo((100 / 1e-5) ** (1 / 99), 9);
    const means = points.map((_, i) => points.slice(0, i + 1).reduce((mean, { loss }) => 0.9 * mean + 0.1 * loss, 0) / (1 - 0.9 ** (i + 1)));
    points.forEach(({ smoothed }, i) => {
      expect(smoothed).toBeCloseTo(means[i], 9);
    });
    expect(atMinimum).toBe(points[means.indexOf(Math.min(...means))].learningRate);
    expect(suggestion).toBeGreaterThan(1e-4);
    expect(suggestion).toBeLessThan(atMinimum);
    const fitted = await fit(model, line, { loss: 'meanSquaredError', optimizer: sgd({ learningRate: suggestion }), epochs: 60, batchSize: 32 });
    expect(fitted.epochs[59].loss).toBeLessThan(0.1 * fitted.epochs[0].loss);
  });

  test('a fresh optimizer is as good as new; a loss that never falls is an error', async () => {
    const optimizer = adam();
    const model = net();
    await learningRateFinder(model, data, { loss: 'crossEntropy', optimizer, steps: 60 });
    expect(optimizer.step.itemSync()).toBe(0);
    const slots = Object.entries(optimizer.stateDict()).filter(([name]) => name.includes('Moment'));
    for (const [, value] of slots) expect(Math.max(...value.abs().dataSync())).toBe(0);
    const stubborn = { loss: (outputs: Tensor) => outputs.sum().mul(0).add(1), optimizer: sgd(), steps: 20 };
    await expect(learningRateFinder(net(), data, stubborn)).rejects.toThrow('learningRateFinder: the loss never fell.');
  });
});

describe('kFold', () => {
  test('every example is left out once, whatever the sizes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 2, max: 7 }), fc.boolean(), async (length, k, stratify) => {
        fc.pre(k <= length);
        const set = fromArrays(
          Array.from({ length }, (_, i) => [i]),
          Array.from({ length }, (_, i) => i % 3),
        );
        const folds = kFold(set, k, { stratify, seed: length });
        const left: string[] = [];
        for (const { train, validation } of folds) {
          const [inside, outside] = [await rowsOf(train), await rowsOf(validation)];
          expect(new Set([...inside, ...outside]).size).toBe(length);
          expect(inside.length + outside.length).toBe(length);
          left.push(...outside);
        }
        expect(left.sort()).toEqual(Array.from({ length }, (_, i) => String(i)).sort());
        const sizes = folds.map(({ validation }) => validation.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 40, seed: 3 },
    );
  });

  test('stratified folds keep the classes, and the seed decides', async () => {
    const ones = labels.filter((label) => label === 1).length;
    for (const { validation } of kFold(data, 5, { stratify: true })) {
      const found = Array.from(validation.labels() ?? []).filter((label) => label === 1).length;
      expect(Math.abs(found - ones / 5)).toBeLessThanOrEqual(1);
    }
    const first = async (options: object) => rowsOf(kFold(data, 3, options)[0].validation);
    expect(await first({ seed: 1 })).toEqual(await first({ seed: 1 }));
    expect(await first({ seed: 1 })).not.toEqual(await first({ seed: 2 }));
    expect(() => kFold(data, 61)).toThrow('kFold: 60 examples do not make 61 folds.');
  });

  test('crossValidate: mean and deviation over the folds', async () => {
    const made: number[] = [];
    const make = (fold: number) => {
      made.push(fold);
      seed(fold);
      return { model: net(), optimizer: adam({ learningRate: 0.05 }) };
    };
    const { folds, mean, deviation } = await crossValidate(make, data, {
      k: 3,
      stratify: true,
      loss: 'crossEntropy',
      metrics: ['accuracy'],
      epochs: 8,
      batchSize: 10,
    });
    expect(made).toEqual([0, 1, 2]);
    const values = folds.map((record) => record.valAccuracy as number);
    const average = values.reduce((a, b) => a + b) / 3;
    expect(mean.valAccuracy).toBeCloseTo(average, 12);
    expect(deviation.valAccuracy).toBeCloseTo(Math.sqrt(values.reduce((sum, v) => sum + (v - average) ** 2, 0) / 2), 12);
    expect(average).toBeGreaterThan(0.85);
  });
});

describe('ensembles', () => {
  const members = [1, 2, 3].map((i) => {
    seed(i);
    const member = net();
    member.summary([2]);
    return member;
  });

  test('the mean of the outputs: its squared error is the mean error less the mean ambiguity', async () => {
    const target = tensor(inputs.map(([a, b]) => [a, b]));
    const set = fromArrays(inputs, target);
    const error = async (model: (typeof members)[0] | ReturnType<typeof ensemble>) =>
      (await evaluate(model, set, { metrics: ['meanSquaredError'] })).meanSquaredError as number;
    const whole = ensemble(members);
    const errors = await Promise.all(members.map(error));
    const average = await predict(whole, set);
    const ambiguities = await Promise.all(members.map(async (member) => (await predict(member, set)).sub(average).square().mean().item()));
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(await error(whole)).toBeCloseTo(mean(errors) - mean(ambiguities), 5);
  });

  test('the mean of probabilities: its log-likelihood beats the mean of theirs', async () => {
    const whole = ensemble(members, { combine: 'averageProbabilities' });
    const loss = async (model: (typeof members)[0] | typeof whole) => (await evaluate(model, data, { loss: 'crossEntropy' })).loss as number;
    const probabilities = await (await predict(whole, data)).softmax().array();
    const each = await Promise.all(members.map(async (member) => (await (await predict(member, data)).softmax().array()) as number[][]));
    (probabilities as number[][]).forEach((row, i) => {
      for (const k of [0, 1]) expect(row[k]).toBeCloseTo((each[0][i][k] + each[1][i][k] + each[2][i][k]) / 3, 5);
    });
    const losses = await Promise.all(members.map(loss));
    expect(await loss(whole)).toBeLessThanOrEqual(losses.reduce((a, b) => a + b) / 3 + 1e-6);
  });

  test('votes', async () => {
    const whole = ensemble(members, { combine: 'vote' });
    const guesses = await Promise.all(members.map(async (member) => [...(await (await predict(member, data)).argMax({ axis: -1 }).data())]));
    const shares = (await (await predict(whole, data)).array()) as number[][];
    shares.forEach((row, i) => {
      expect(row[1]).toBeCloseTo((guesses[0][i] + guesses[1][i] + guesses[2][i]) / 3, 6);
    });
    const majority = guesses[0].map((_, i) => (guesses[0][i] + guesses[1][i] + guesses[2][i] >= 2 ? 1 : 0));
    const right = majority.filter((guess, i) => guess === labels[i]).length / 60;
    expect((await evaluate(whole, data, { metrics: ['accuracy'] })).accuracy).toBeCloseTo(right, 12);
    expect(() => ensemble([])).toThrow('ensemble: there are no models.');
    expect(() => ensemble([members[0], nn.linear(3)]).apply(tensor([[1, 2]]))).toThrow(
      'ensemble: the models give [1, 2] and [1, 3]. They must have outputs of one shape.',
    );
  });

  test('bagging trains each member on a bootstrap sample of its own', async () => {
    const samples = [0, 1].map((i) => bootstrap(data, { seed: i }));
    const rows = await Promise.all(samples.map(rowsOf));
    expect(rows[0]).not.toEqual(rows[1]);
    expect(await rowsOf(bootstrap(data, { seed: 0 }))).toEqual(rows[0]);
    for (const sample of rows) {
      const different = new Set(sample).size;
      expect(sample).toHaveLength(60);
      expect(different).toBeGreaterThan(30); // 63 % of 60 is 38
      expect(different).toBeLessThan(46);
    }
    const make = (i: number) => {
      seed(i);
      return { model: net(), optimizer: adam({ learningRate: 0.05 }) };
    };
    const options = { loss: 'crossEntropy', metrics: ['accuracy'], epochs: 4, batchSize: 15 } as const;
    const bag = await bagging(make, data, { ...options, members: 2, combine: 'vote' });
    const { model, optimizer } = make(1);
    const { epochs } = await fit(model, bootstrap(data, { seed: 1 }), { ...options, optimizer, seed: 1 });
    expect(bag.histories[1].epochs).toEqual(epochs);
    expect(bag.ensemble.models).toEqual(bag.members);
    expect((await evaluate(bag.ensemble, data, { metrics: ['accuracy'] })).accuracy).toBeGreaterThan(0.7);
  });
});

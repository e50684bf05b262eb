/** Spaces, samplers, pruning, studies in memory, importance. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boolean,
  choice,
  createStudy,
  grid,
  importance,
  integer,
  logUniform,
  medianPruning,
  randomSearch,
  type Sampler,
  type Space,
  type StudyOptions,
  tpe,
  uniform,
} from './index.ts';
import { fromUnit, toUnit } from './space.ts';
import { memoryStorage } from './storage.ts';

/** Branin's function: three minima of 0.397887 in [−5, 10] × [0, 15]. */
const branin = (x: number, y: number): number =>
  (y - (5.1 / (4 * Math.PI ** 2)) * x ** 2 + (5 / Math.PI) * x - 6) ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
const plane = { x: uniform(-5, 10), y: uniform(0, 15) };

/** Like the loss of a net by learning rate and width: a valley that is slanted over the logarithm of the rate, a slope where the rate is too large; minimum 0. */
const valley = (rate: number, width: number): number =>
  (Math.log10(rate) + 2.2 + 0.01 * (width - 70)) ** 2 + ((width - 70) / 70) ** 2 + 3 * Math.max(0, Math.log10(rate) + 1);
const nets = { x: logUniform(1e-5, 1), y: integer(10, 200) };

describe('spaces', () => {
  test('values lie within their range, and places map back and forth', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (place) => {
        for (const range of [uniform(-3, 7), logUniform(1e-5, 10)]) {
          const value = fromUnit(range, place);
          expect(value).toBeGreaterThanOrEqual(range.low);
          expect(value).toBeLessThanOrEqual(range.high);
          expect(toUnit(range, value)).toBeCloseTo(place, 9);
        }
        const whole = fromUnit(integer(-2, 4), place);
        expect(whole).toBe(-2 + Math.floor(place * 7));
        expect(fromUnit(integer(-2, 4), toUnit(integer(-2, 4), whole))).toBe(whole);
      }),
    );
  });

  test.each<[unknown, RegExp]>([
    [[], /createStudy: a space must be an object/],
    [{}, /has no parameters/],
    [{ rate: 0.1 }, /rate must have a type that is one of uniform, logUniform, integer, choice, boolean, got 0\.1/],
    [{ rate: { type: 'loguniform', low: 1, high: 2 } }, /rate must have a type .* got "loguniform"\. Did you mean logUniform\?/],
    [{ rate: { type: 'uniform', low: 0 } }, /rate\.high must be a finite number, got undefined/],
    [{ rate: { type: 'uniform', low: 0, high: 1, log: true } }, /rate: unknown option log/],
    [{ rate: uniform(2, 1) }, /rate needs low < high, got 2 and 1/],
    [{ rate: uniform(1, 1) }, /leave it out of the space/],
    [{ rate: logUniform(0, 1) }, /logUniform needs low > 0, got 0\. Zero has no logarithm/],
    [{ rate: uniform(Number.NaN, 1) }, /rate\.low must be a finite number, got NaN/],
    [{ width: integer(1, 2.5) }, /width\.high must be a whole number, got 2\.5/],
    [{ width: choice([]) }, /width needs a list of at least one value/],
    [{ width: choice([8, 16, 8]) }, /width has the value 8 twice/],
    [{ width: { type: 'choice', values: [null] } }, /values must be finite numbers, texts or truth values, got null/],
  ])('a wrong space: %j', async (space, message) => {
    await expect(createStudy({ space: space as Space })).rejects.toThrow(message);
  });

  test.each<[object, RegExp]>([
    [{ sampler: 'gridd' }, /sampler must be one of tpe, random, grid, got gridd\. Did you mean grid\?/],
    [{ direction: 'up' }, /direction must be one of minimize, maximize/],
    [{ seed: -1 }, /seed must be a whole number ≥ 0/],
    [{ pruning: 'hyperband' }, /pruning must be one of median, none/],
    [{ lease: 0 }, /lease must be a finite number ≥ 0\.1/],
    [{ path: 'x' }, /unknown option path/],
  ])('a wrong option: %j', async (options, message) => {
    await expect(createStudy({ space: plane, ...options } as StudyOptions<typeof plane>)).rejects.toThrow(message);
    expect(() => tpe({ gamma: 1 })).toThrow(/gamma must be a finite number in \[0, 1\)/);
    expect(() => grid({ points: 1 })).toThrow(/points must be a whole number ≥ 2/);
    expect(() => medianPruning({ warmupSteps: -1 })).toThrow(/warmupSteps must be a whole number ≥ 0/);
  });
});

describe('samplers', () => {
  test('the grid has every combination once, and then ends', async () => {
    const space = { rate: logUniform(0.001, 0.1), layers: integer(1, 3), kind: choice(['a', 'b']), bias: boolean() };
    const study = await createStudy({ space, sampler: grid({ points: 3 }) });
    await study.optimize(() => 0, { trials: 1000, parallel: 3 });
    const got = study.trials.map(({ values }) => [Number(values.rate.toPrecision(9)), values.layers, values.kind, values.bias]);
    const expected = [0.001, 0.01, 0.1].flatMap((rate) =>
      [1, 2, 3].flatMap((layers) => ['a', 'b'].flatMap((kind) => [false, true].map((bias) => [rate, layers, kind, bias]))),
    );
    expect(got).toEqual(expected);
    const large = await createStudy({ space: { n: integer(0, 1e9) }, sampler: 'grid' });
    await expect(large.optimize(() => 0, { trials: 1 })).rejects.toThrow(/grid: 1,000,000,001 combinations are too many/);
  });

  test('random search is spread as the space says', () => {
    const space = { rate: logUniform(1e-4, 1), layers: integer(1, 4), kind: choice(['a', 'b']) };
    const drawn = Array.from({ length: 2000 }, (_, number) => randomSearch().sample(space, [], number, 3) ?? {});
    const share = (fits: (values: Readonly<Record<string, unknown>>) => boolean): number => drawn.filter(fits).length / drawn.length;
    expect(share(({ rate }) => Number(rate) < 1e-2)).toBeCloseTo(0.5, 1);
    for (const layers of [1, 2, 3, 4]) expect(share((values) => values.layers === layers)).toBeCloseTo(0.25, 1);
    expect(share(({ kind }) => kind === 'b')).toBeCloseTo(0.5, 1);
  });

  test.each([
    ['Branin’s function', plane, branin, 0.397887],
    ['a slanted valley with a logarithmic axis', nets, valley, 0],
  ] as const)('TPE is better than random search on %s, 60 trials, 20 seeds', async (_, space, f, minimum) => {
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);
    const excess = (sampler: Sampler): Promise<number[]> =>
      Promise.all(
        seeds.map(async (seed) => {
          const study = await createStudy<Space>({ space, sampler, seed });
          await study.optimize(({ x, y }) => f(Number(x), Number(y)), { trials: 60 });
          return (study.best?.value ?? Number.NaN) - minimum;
        }),
      );
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const [estimated, random] = [await excess(tpe()), await excess(randomSearch())];
    expect(mean(estimated)).toBeLessThan(0.3 * mean(random));
    expect(seeds.filter((seed) => estimated[seed] < random[seed]).length).toBeGreaterThanOrEqual(14);
  });

  test('TPE is better than random search on categories and whole numbers, and repeats nothing that it chose', async () => {
    const space = { kind: choice(['a', 'b', 'c', 'd']), bias: boolean(), layers: integer(1, 40) };
    let [estimated, random] = [0, 0];
    for (let seed = 0; seed < 10; seed++) {
      for (const sampler of ['tpe', 'random'] as const) {
        const study = await createStudy({ space, sampler, seed, direction: 'maximize', pruning: 'none' });
        await study.optimize(({ kind, bias, layers }) => (kind === 'b' ? 3 : 0) + (bias ? 2 : 0) - Math.abs(layers - 30) / 5, { trials: 50 });
        const best = study.best?.value ?? Number.NaN;
        if (sampler === 'random') random += best / 10;
        else {
          estimated += best / 10;
          const chosen = study.trials.slice(10).map(({ values }) => JSON.stringify(values));
          expect(new Set(chosen).size).toBe(chosen.length);
        }
      }
    }
    expect(estimated).toBeGreaterThan(4.8); // of 5
    expect(estimated).toBeGreaterThan(random + 0.3);
  });

  test('the same seed gives the same trials, another seed others', async () => {
    const valuesOf = async (seed: number) => {
      const study = await createStudy({ space: plane, seed });
      await study.optimize(({ x, y }) => branin(x, y), { trials: 20 });
      return study.trials.map(({ values }) => values);
    };
    expect(await valuesOf(1)).toEqual(await valuesOf(1));
    expect(await valuesOf(1)).not.toEqual(await valuesOf(2));
  });
});

describe('median pruning', () => {
  const flat = (level: number, steps = 4) => Array.from({ length: steps }, (_, i) => [i + 1, level] as const);
  const pruner = medianPruning({ startupTrials: 3, warmupSteps: 2 });
  const completed = [flat(1), flat(2), flat(3)];

  test('stops what is worse than the median, after the warm-up, once enough trials are complete', () => {
    expect(pruner.shouldPrune(flat(2.5, 3), completed)).toBe(true);
    expect(pruner.shouldPrune(flat(2, 3), completed)).toBe(false); // not worse, equal
    expect(pruner.shouldPrune(flat(2.5, 2), completed)).toBe(false); // warm-up
    expect(pruner.shouldPrune(flat(2.5, 3), completed.slice(1))).toBe(false); // too few
    expect(pruner.shouldPrune(flat(2.5, 5), completed)).toBe(false); // nobody has come this far
    expect(
      pruner.shouldPrune(
        [
          [1, 3],
          [2, 1.5],
          [3, 2.5],
        ],
        completed,
      ),
    ).toBe(false); // one bad step
    expect(pruner.shouldPrune([[1, Number.NaN]], [])).toBe(true);
    expect(pruner.shouldPrune([], completed)).toBe(false);
  });

  test.each(['minimize', 'maximize'] as const)('in a study, %s: only bad trials end early, and the best completes', async (direction) => {
    const sign = direction === 'minimize' ? 1 : -1;
    const study = await createStudy({ space: { level: uniform(0, 1) }, sampler: 'random', direction, pruning: medianPruning({ warmupSteps: 1 }) });
    await study.optimize(
      ({ level }, trial) => {
        for (let step = 1; step <= 10; step++) {
          trial.report(step, sign * (level + 1 / step));
          if (trial.shouldPrune) trial.prune();
        }
        return sign * level;
      },
      { trials: 40 },
    );
    const pruned = study.trials.filter(({ state }) => state === 'pruned');
    expect(pruned.length).toBeGreaterThan(10);
    expect(pruned.every(({ reports, value }) => reports.length === 2 && value === undefined)).toBe(true);
    const levels = study.trials.map(({ values }) => values.level);
    expect(study.best?.values.level).toBe(Math.min(...levels));
    expect(study.best?.reports).toHaveLength(10);
  });
});

describe('studies', () => {
  test('trials go on where an earlier call ended', async () => {
    const study = await createStudy({ space: plane });
    await study.optimize(({ x }) => x, { trials: 3 });
    await study.optimize(({ x }) => x, { trials: 5, parallel: 4 });
    expect(study.trials.map(({ number, state, attempts }) => [number, state, attempts])).toEqual([0, 1, 2, 3, 4].map((n) => [n, 'completed', 1]));
  });

  test('an exception ends the study, or the trial alone; what is not finite fails', async () => {
    const failing = await createStudy({ space: plane });
    const objective = () => {
      throw new Error('out of memory');
    };
    await expect(failing.optimize(objective, { trials: 5 })).rejects.toThrow('out of memory');
    expect(failing.trials).toMatchObject([{ state: 'failed', error: 'out of memory' }]);
    await failing.optimize(objective, { trials: 3, onError: 'continue' });
    expect(failing.trials).toHaveLength(3);
    expect(failing.best).toBeUndefined();
    const diverging = await createStudy({ space: plane });
    await diverging.optimize(({ x }) => (x < 2.5 ? x : Number.NaN), { trials: 20 });
    expect(new Set(diverging.trials.map(({ state }) => state))).toEqual(new Set(['completed', 'failed']));
    const wrong = await createStudy({ space: plane });
    await expect(wrong.optimize((() => 'x') as unknown as () => number, { trials: 2, onError: 'continue' })).rejects.toThrow(/must give a number, got x/);
  });

  test('a stopped trial is given back and begins again', async () => {
    const study = await createStudy({ space: plane });
    const stop = new AbortController();
    const begun: number[] = [];
    await study.optimize(
      ({ x }, trial) => {
        begun.push(trial.number);
        if (trial.number === 2) stop.abort();
        trial.report(1, x);
        return x;
      },
      { trials: 4, signal: stop.signal },
    );
    expect(study.trials.map(({ state }) => state)).toEqual(['completed', 'completed', 'running']);
    await study.optimize(({ x }, trial) => begun.push(trial.number) && x, { trials: 4 });
    expect(begun).toEqual([0, 1, 2, 2, 3]);
    expect(study.trials.map(({ state, attempts }) => [state, attempts])).toEqual([
      ['completed', 1],
      ['completed', 1],
      ['completed', 2],
      ['completed', 1],
    ]);
  });

  test('a lease that has run out is taken over, and the late worker is not heard', () => {
    let clock = 0;
    const storage = memoryStorage(() => clock);
    const claim = () => storage.claim(1, 10, () => ({ x: 1 }));
    const first = claim() ?? { number: -1, attempt: -1 };
    clock = 9_000;
    expect(claim()).toBeUndefined();
    expect(storage.renew(first, 10)).toBe(true);
    clock = 18_000;
    expect(claim()).toBeUndefined();
    clock = 19_000;
    const second = claim() ?? { number: -1, attempt: -1 };
    expect(second).toEqual({ number: 0, attempt: 2 });
    expect([storage.renew(first, 10), storage.report(first, 1, 5), storage.finish(first, { state: 'completed', value: 5 })]).toEqual([false, false, false]);
    expect(storage.finish(second, { state: 'completed', value: 7 })).toBe(true);
    expect(storage.trials()).toMatchObject([{ state: 'completed', value: 7, attempts: 2, reports: [] }]);
  });
});

describe('importance', () => {
  test('finds the parameters that matter', async () => {
    const space = { strong: uniform(0, 1), weak: uniform(0, 1), kind: choice(['a', 'b', 'c']), none: logUniform(0.01, 1) };
    const study = await createStudy({ space, sampler: 'random' });
    await study.optimize(({ strong, weak, kind }) => 10 * strong + weak + (kind === 'b' ? 4 : 0), { trials: 200 });
    const { strong = 0, weak = 1, kind = 0, none = 1 } = importance(space, study.trials);
    expect(strong).toBeGreaterThan(0.5);
    expect(kind).toBeGreaterThan(0.15);
    expect(weak).toBeLessThan(0.1);
    expect(none).toBeLessThan(0.05);
    expect(strong + kind).toBeLessThan(1.1);
  });

  test('says nothing where it cannot know', () => {
    const trials = Array.from({ length: 9 }, (_, i) => ({ values: { x: i / 9 }, value: i }));
    expect(importance({ x: uniform(0, 1) }, trials)).toEqual({});
    expect(
      importance(
        { x: uniform(0, 1) },
        Array.from({ length: 30 }, (_, i) => ({ values: { x: i / 30 }, value: 1 })),
      ),
    ).toEqual({});
  });
});

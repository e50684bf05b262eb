/** The tensor API against known values and against naive loops. */
import { describe, expect, it } from 'vitest';
import { arange, concat, einsum, eye, full, linspace, ones, stack, type Tensor, tensor, where, zeros } from '../../src/tensor/index.ts';

const close = (actual: unknown, expected: readonly number[], digits = 5) =>
  (actual as number[]).forEach((value, i) => expect(value, `element ${i}`).toBeCloseTo(expected[i], digits));

describe('making tensors', () => {
  it('from nested and typed arrays', () => {
    expect(
      tensor([
        [1, 2],
        [3, 4],
      ]).dtype,
    ).toBe('float32');
    expect(tensor([[true], [false]])).toMatchObject({ dtype: 'bool', shape: [2, 1] });
    expect(tensor(new Int32Array([1, 2, 3, 4]), { shape: [2, 2] }).arraySync()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(tensor(new Float64Array([0.1])).itemSync()).toBe(0.1);
    expect(tensor([1.5, -2, 300], { dtype: 'uint8' }).arraySync()).toEqual([1, 254, 44]);
    expect(tensor([[], []]).shape).toEqual([2, 0]);
    expect(tensor(3).rank).toBe(0);
  });
  it('half floats are rounded in and widened out', () => {
    expect(tensor([0.1, 70000], { dtype: 'float16' }).arraySync()).toEqual([0.0999755859375, Number.POSITIVE_INFINITY]);
    const half = tensor([1, 2.5], { dtype: 'bfloat16' });
    expect(half.add(1)).toMatchObject({ dtype: 'float32' });
    expect(half.add(1).arraySync()).toEqual([2, 3.5]);
    expect(half.data).toBeTypeOf('function');
    expect(tensor(new Uint16Array([0x3c00]), { dtype: 'float16' }).itemSync()).toBe(1);
  });
  it('counted and filled', () => {
    expect(arange(4).arraySync()).toEqual([0, 1, 2, 3]);
    expect(arange(1, 2, { step: 0.25 }).arraySync()).toEqual([1, 1.25, 1.5, 1.75]);
    expect(arange(5, 0, { step: -2 }).arraySync()).toEqual([5, 3, 1]);
    expect(linspace(0, 1, 5).arraySync()).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(eye(2, 3).arraySync()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(full([2], 7, { dtype: 'int32' }).arraySync()).toEqual([7, 7]);
    expect([ones([1]).itemSync(), zeros([1], { dtype: 'float64' }).dtype]).toEqual([1, 'float64']);
  });
  it('refuses what does not fit', () => {
    expect(() => tensor([[1, 2], [3]])).toThrow(/expected length 2 at depth 1, got 1/);
    expect(() => tensor([1, 2, 3], { shape: [2] })).toThrow(/3 values do not fill the shape \[2\]/);
    expect(() => tensor([1], { dtype: 'float' as 'float32' })).toThrow(/no dtype "float"/);
    expect(() => tensor(['a'] as unknown as number[])).toThrow(/expected numbers, got a/);
  });
});

describe('elementwise', () => {
  it('promotes and broadcasts', () => {
    expect(
      tensor([1, 2], { dtype: 'int32' })
        .add(tensor([0.5, 0.5]))
        .arraySync(),
    ).toEqual([1.5, 2.5]);
    expect(tensor([1, 2], { dtype: 'int32' }).mul(2)).toMatchObject({ dtype: 'int32' });
    expect(tensor([1, 2], { dtype: 'int32' }).mul(0.5).arraySync()).toEqual([0.5, 1]);
    expect(
      tensor([[1], [2]])
        .add(tensor([10, 20]))
        .arraySync(),
    ).toEqual([
      [11, 21],
      [12, 22],
    ]);
    expect(
      tensor([true, true])
        .add(tensor([true, false]))
        .arraySync(),
    ).toEqual([2, 1]);
    expect(tensor([4], { dtype: 'int32' }).sqrt().itemSync()).toBe(2);
    expect(() => tensor([1, 2]).add(tensor([1, 2, 3]))).toThrow(/add: shapes \[2\] and \[3\] do not broadcast/);
    expect(() => tensor([1]).add([1] as unknown as Tensor)).toThrow(/expected a tensor or a number, got an array.*tensor/);
    expect(() => (tensor([1]) as unknown as number) + 1).toThrow(/operators do not work on tensors/);
  });
  it('compares and chooses', () => {
    const x = tensor([-1, 0, 2, Number.NaN]);
    expect(x.greater(0)).toMatchObject({ dtype: 'bool' });
    expect(where(x.greater(0), x, -5).arraySync()).toEqual([-5, -5, 2, -5]);
    expect(where(tensor([[true], [false]]), tensor([1, 2]), 0).arraySync()).toEqual([
      [1, 2],
      [0, 0],
    ]);
    expect(x.isNaN().arraySync()).toEqual([0, 0, 0, 1]);
    expect(tensor([1, Number.POSITIVE_INFINITY, Number.NaN]).isFinite().arraySync()).toEqual([1, 0, 0]);
    expect(x.relu().arraySync()).toEqual([0, 0, 2, Number.NaN]);
    expect(tensor([1, 0]).logicalNot().arraySync()).toEqual([0, 1]);
    expect([x.less(0).any().itemSync(), x.less(0).all().itemSync()]).toEqual([1, 0]);
    expect(tensor([-3, 3]).clip(-1, 2).arraySync()).toEqual([-1, 2]);
  });
});

describe('reductions', () => {
  const x = tensor([
    [1, 5, 3],
    [4, 2, 6],
  ]);
  it('along axes, keeping them or not', () => {
    expect([x.sum().itemSync(), x.mean().itemSync(), x.prod().itemSync()]).toEqual([21, 3.5, 720]);
    expect(x.sum({ axis: 0 }).arraySync()).toEqual([5, 7, 9]);
    expect(x.max({ axis: -1, keepDims: true }).arraySync()).toEqual([[5], [6]]);
    expect([x.argMax().itemSync(), x.argMax({ axis: 0 }).arraySync(), x.argMin(1).arraySync()]).toEqual([5, [1, 0, 1], [0, 1]]);
    expect(x.variance().itemSync()).toBeCloseTo(17.5 / 6, 5);
    expect(x.variance({ ddof: 1 }).itemSync()).toBeCloseTo(3.5, 5);
    expect(x.norm({ axis: 1 }).dataSync()[0]).toBeCloseTo(Math.sqrt(35), 5);
    expect(x.norm({ order: 1 }).itemSync()).toBe(21);
    expect(tensor([1000, 1000]).logSumExp().itemSync()).toBeCloseTo(1000 + Math.LN2, 3);
    expect(tensor([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]).logSumExp().itemSync()).toBe(Number.NEGATIVE_INFINITY);
    expect(x.cumsum({ axis: 1, reverse: true, exclusive: true }).arraySync()).toEqual([
      [8, 3, 0],
      [8, 6, 0],
    ]);
    expect(tensor([200, 100], { dtype: 'uint8' }).sum().itemSync()).toBe(300);
    expect(tensor([true, true]).mean().itemSync()).toBe(1);
    expect(() => x.sum({ axis: 2 })).toThrow(/sum: axis 2 is out of range for a tensor of rank 2/);
  });
  it('softmax is stable and sums to 1', () => {
    close(tensor([1000, 1001, 999]).softmax().arraySync(), [0.24472847, 0.66524096, 0.09003057]);
    close(tensor([1000, 1001, 999]).logSoftmax().arraySync(), [-1.4076059, -0.4076059, -2.4076059], 4);
  });
});

describe('movement', () => {
  const x = arange(24).reshape([2, 3, 4]);
  it('reshapes, reorders, cuts and joins', () => {
    expect(x.reshape([-1, 6]).shape).toEqual([4, 6]);
    expect(x.flatten(1).shape).toEqual([2, 12]);
    expect(x.transpose().shape).toEqual([4, 3, 2]);
    expect(x.transpose([1, -1, 0]).slice([2, 1], [1, 2]).arraySync()).toEqual([
      [
        [9, 21],
        [10, 22],
      ],
    ]);
    expect(x.slice([-1, 0, 0], [1, -1, -1], { step: [1, 2, 3] }).arraySync()).toEqual([
      [
        [12, 15],
        [20, 23],
      ],
    ]);
    expect(x.split(3, 1).map((t) => t.shape)).toEqual([
      [2, 1, 4],
      [2, 1, 4],
      [2, 1, 4],
    ]);
    expect(concat(x.split([1, 3], -1), 2).arraySync()).toEqual(x.arraySync());
    expect(stack(x.unstack(1), 1).arraySync()).toEqual(x.arraySync());
    expect(tensor([1, 2]).tile([2, 2]).arraySync()).toEqual([
      [1, 2, 1, 2],
      [1, 2, 1, 2],
    ]);
    expect(tensor([1, 2]).repeat(2).arraySync()).toEqual([1, 1, 2, 2]);
    expect(tensor([1, 2]).pad(1, { value: 9 }).arraySync()).toEqual([9, 1, 2, 9]);
    expect(
      tensor([
        [1, 2],
        [3, 4],
      ])
        .flip(0)
        .arraySync(),
    ).toEqual([
      [3, 4],
      [1, 2],
    ]);
    expect(tensor([1, 2]).expandDims(-1).squeeze().shape).toEqual([2]);
    expect(
      tensor([1, 2])
        .concat(tensor([3]))
        .arraySync(),
    ).toEqual([1, 2, 3]);
  });
  it('says what does not fit', () => {
    expect(() => x.reshape([5, -1])).toThrow(/\[2, 3, 4\] \(24 elements\) does not fit \[5, -1\]/);
    expect(() => x.slice([0, 0, 2], [1, 1, 3])).toThrow(/start 2, size 3, step 1 reach outside axis 2 of length 4/);
    expect(() => concat([x, x.transpose()])).toThrow(/differ in more than axis 0/);
    expect(() => x.split(5, 0)).toThrow(/does not divide into 5/);
    expect(() => x.squeeze(0)).toThrow(/has length 2, not 1/);
  });
});

describe('indexing and sorting', () => {
  it('takes, adds at positions, one-hot', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(x.take([2, 0]).arraySync()).toEqual([
      [5, 6],
      [1, 2],
    ]);
    expect(x.gather(1, 1).arraySync()).toEqual([2, 4, 6]);
    expect(x.takeAlong(tensor([[1], [0], [1]], { dtype: 'int32' })).arraySync()).toEqual([[2], [3], [6]]);
    expect(
      zeros([3])
        .scatterAdd([1, 1, 2], tensor([1, 2, 3]))
        .arraySync(),
    ).toEqual([0, 3, 3]);
    expect(tensor([0, 2], { dtype: 'int32' }).oneHot(3).arraySync()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ]);
    expect(() => x.take(tensor([0.5]))).toThrow(/indices must be int32, got float32/);
  });
  it('sorts along any axis', () => {
    const x = tensor([
      [3, 1, 2],
      [9, 8, 7],
    ]);
    expect(x.sort().arraySync()).toEqual([
      [1, 2, 3],
      [7, 8, 9],
    ]);
    expect(x.sort({ axis: 0, descending: true }).arraySync()).toEqual([
      [9, 8, 7],
      [3, 1, 2],
    ]);
    const { values, indices } = x.topK(2);
    expect([values.arraySync(), indices.arraySync()]).toEqual([
      [
        [3, 2],
        [9, 8],
      ],
      [
        [0, 2],
        [0, 1],
      ],
    ]);
  });
});

describe('products', () => {
  it('matmul of vectors, matrices and batches', () => {
    const a = arange(6).reshape([2, 3]).cast('float32');
    expect(a.matmul(tensor([1, 1, 1])).arraySync()).toEqual([3, 12]);
    expect(tensor([1, 1]).matmul(a).arraySync()).toEqual([3, 5, 7]);
    expect(
      tensor([1, 2])
        .matmul(tensor([3, 4]))
        .itemSync(),
    ).toBe(11);
    const batch = arange(24).reshape([2, 1, 3, 4]).cast('float32');
    const product = arange(36).reshape([3, 4, 3]).cast('float32');
    const out = batch.matmul(product);
    expect(out.shape).toEqual([2, 3, 3, 3]);
    expect(out.slice([1, 2], [1, 1]).squeeze().arraySync()).toEqual(
      batch
        .slice([1], [1])
        .reshape([3, 4])
        .matmul(product.slice([2], [1]).squeeze())
        .arraySync(),
    );
    expect(batch.matmul(product.slice([0], [1]).squeeze()).shape).toEqual([2, 1, 3, 3]);
    expect(() => a.matmul(a)).toThrow(/inner dimensions 3 and 2 differ \(\[2, 3\] · \[2, 3\]\)/);
  });

  it('einsum equals naive loops', () => {
    const lengths: Record<string, number> = { i: 2, j: 3, k: 4, l: 2 };
    const equations = [
      'ij,jk->ik',
      'ij,jk->ki',
      'ij->ji',
      'ij->',
      'ij->j',
      'ii->i',
      'ii',
      'i,j->ij',
      'ijk,jkl->il',
      'ij,jk,kl->il',
      'ij,ij->ij',
      'ijk,ik->ij',
      'ij,kl->',
      'iij->j',
      'ij,j',
      'ijk,ljk,k->il',
      'i,i,i->',
      'j,ij->ij',
      ',ij->ji',
    ];
    for (const equation of equations) {
      const [left, right] = equation.split('->');
      const terms = left.split(',');
      const operands = terms.map((labels, t) => {
        const shape = [...labels].map((l) => (l === 'i' && labels === 'ii' ? 3 : lengths[l]));
        return tensor(
          Float64Array.from({ length: shape.reduce((p, d) => p * d, 1) }, (_, i) => Math.sin(i + 7 * t)),
          { shape },
        );
      });
      const out =
        right ??
        [...new Set(left.replaceAll(',', ''))]
          .filter((l) => left.split(l).length === 2)
          .sort()
          .join('');
      expect([equation, Array.from(einsum(equation, ...operands).dataSync(), (x) => x.toFixed(9))]).toEqual([
        equation,
        naive(terms, operands, out).map((x) => x.toFixed(9)),
      ]);
    }
  });

  function naive(terms: string[], operands: Tensor[], out: string): number[] {
    const letters = [...new Set(terms.join('') + out)];
    const length = new Map<string, number>();
    terms.forEach((labels, t) => [...labels].forEach((l, axis) => length.set(l, operands[t].shape[axis])));
    const values = operands.map((t) => t.dataSync());
    const position = (labels: string, at: Map<string, number>) => [...labels].reduce((p, l) => p * (length.get(l) as number) + (at.get(l) as number), 0);
    const result = new Array<number>([...out].reduce((p, l) => p * (length.get(l) as number), 1)).fill(0);
    const visit = (depth: number, at: Map<string, number>): void => {
      if (depth === letters.length) {
        result[position(out, at)] += terms.reduce((p, labels, t) => p * values[t][position(labels, at)], 1);
        return;
      }
      for (let i = 0; i < (length.get(letters[depth]) as number); i++) visit(depth + 1, new Map(at).set(letters[depth], i));
    };
    visit(0, new Map());
    return result;
  }

  it('einsum says what does not fit', () => {
    const a = ones([2, 3]);
    expect(() => einsum('ij,jk->ik', a, a)).toThrow(/"j" is 3 in one operand and 2 in another/);
    expect(() => einsum('ijk->i', a)).toThrow(/"ijk" names 3 axes but operand 0 is \[2, 3\]/);
    expect(() => einsum('ij,jk', a)).toThrow(/names 2 operands, got 1/);
  });
});

describe('convolution and pooling', () => {
  it('counts the cross of the textbook picture', () => {
    const image = tensor([
      [1, 1, 1, 0, 0],
      [0, 1, 1, 1, 0],
      [0, 0, 1, 1, 1],
      [0, 0, 1, 1, 0],
      [0, 1, 1, 0, 0],
    ]).reshape([1, 5, 5, 1]);
    const kernel = tensor([
      [1, 0, 1],
      [0, 1, 0],
      [1, 0, 1],
    ]).reshape([3, 3, 1, 1]);
    expect(image.conv(kernel).reshape([3, 3]).arraySync()).toEqual([
      [4, 3, 4],
      [2, 4, 3],
      [2, 3, 4],
    ]);
  });
  it('convTranspose is the adjoint of conv', () => {
    const x = tensor(
      Float64Array.from({ length: 2 * 7 * 6 * 3 }, (_, i) => Math.sin(i)),
      { shape: [2, 7, 6, 3] },
    );
    const w = tensor(
      Float64Array.from({ length: 3 * 2 * 3 * 4 }, (_, i) => Math.cos(i)),
      { shape: [3, 2, 3, 4] },
    );
    const options = { stride: [2, 1], padding: [1, 0] };
    const forward = x.conv(w, options);
    const y = forward.sin();
    const back = y.convTranspose(w, options);
    expect(back.shape).toEqual(x.shape);
    expect(forward.mul(y).sum().itemSync()).toBeCloseTo(back.mul(x).sum().itemSync(), 9);
  });
  it('pools', () => {
    const x = arange(16).reshape([1, 4, 4, 1]).cast('float32');
    expect(x.maxPool({ size: 2 }).flatten().arraySync()).toEqual([5, 7, 13, 15]);
    expect(x.avgPool({ size: 2 }).flatten().arraySync()).toEqual([2.5, 4.5, 10.5, 12.5]);
    expect(x.avgPool({ size: 3, stride: 2, padding: 1 }).flatten().arraySync()).toEqual([2.5, 4, 8.5, 10]);
    expect(() => ones([4, 4]).conv(ones([3, 3, 1, 1]))).toThrow(/conv: input \[4, 4\] and kernel/);
    expect(() => ones([1, 4, 4, 3]).conv(ones([3, 3, 4, 8]))).toThrow(/input has 3 channels but the kernel expects 4/);
  });
});

describe('String(tensor)', () => {
  it('shows type and, once computed, values', () => {
    const lazy = tensor([
      [1, 2],
      [3, 4],
    ]).add(1);
    expect(String(lazy)).toBe('gradix.Tensor float32 [2, 2]');
    lazy.dataSync();
    expect(String(lazy)).toBe('gradix.Tensor float32 [2, 2]\n[[2, 3],\n [4, 5]]');
    expect(String(tensor([1.23456789, -10]))).toBe('gradix.Tensor float32 [2]\n[1.2346,    -10]');
    expect(`${tensor(Array.from({ length: 1000 }, (_, i) => i))}`).toBe('gradix.Tensor float32 [1000]\n[0, 1, 2, …, 997, 998, 999]');
  });
});

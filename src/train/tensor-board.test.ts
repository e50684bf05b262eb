/** Event files, read by a parser of this test's own: framing with checks bit by bit, protocol buffers by their wire format alone, PNG by Node's zlib. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { fromArrays } from '../data/index.ts';
import { crc32, crc32c } from '../io/crc.ts';
import * as nn from '../nn/index.ts';
import { adam } from '../optim/index.ts';
import { seed, type Tensor, tensor } from '../tensor/index.ts';
import { checkpoint, fit, type History, lambda, loadCheckpoint, type TensorBoardOptions, tensorBoard } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'gradix-tensor-board-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** CRC-32C by its definition, a bit at a time. */
function bitwiseCrc(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x82f63b78n : crc >> 1n;
  }
  return Number(crc ^ 0xffffffffn);
}

function masked(bytes: Uint8Array): number {
  const crc = BigInt(bitwiseCrc(bytes));
  return Number((((crc >> 15n) | ((crc << 17n) & 0xffffffffn)) + 0xa282ead8n) & 0xffffffffn);
}

/** The records of a file; throws where a check is wrong or bytes are left over. */
function records(bytes: Buffer): Buffer[] {
  const list: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(masked(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(data.length).toBe(length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(masked(data));
    list.push(data);
    at += 16 + length;
  }
  return list;
}

type Value = bigint | number | Buffer;
type Message = Map<number, Value[]>;

/** Any message by the wire format. */
function parse(bytes: Buffer): Message {
  const fields: Message = new Map();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const read = (type: number): Value => {
    if (type === 0) return varint();
    const size = type === 1 ? 8 : type === 5 ? 4 : type === 2 ? Number(varint()) : Number.NaN;
    if (!(at + size <= bytes.length)) throw new Error(`wire type ${type} at byte ${at}`);
    at += size;
    const part = bytes.subarray(at - size, at);
    return type === 1 ? part.readDoubleLE() : type === 5 ? part.readFloatLE() : part;
  };
  while (at < bytes.length) {
    const key = Number(varint());
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), read(key & 7)]);
  }
  return fields;
}

const one = (message: Message, field: number): Value | undefined => message.get(field)?.[0];
const text = (message: Message, field: number): string => String(one(message, field) ?? '');
const inner = (message: Message, field: number): Message[] => (message.get(field) ?? []).map((value) => parse(value as Buffer));
const doubles = (message: Message, field: number): number[] => {
  const packed = one(message, field) as Buffer;
  return Array.from({ length: packed.length / 8 }, (_, i) => packed.readDoubleLE(8 * i));
};

const points = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(2 * i)]);
const data = fromArrays(
  points,
  points.map(([a, b]) => (a * b > 0 ? 1 : 0)),
);

class Residual extends nn.Module {
  inner = nn.linear(4);
  forward(x: Tensor): Tensor {
    return this.inner.apply(x).relu().add(x);
  }
}
const make = () => {
  seed(3);
  return nn.sequential(nn.linear(4), new Residual(), nn.relu(), nn.linear(2));
};

interface Reading {
  readonly events: Message[];
  /** By tag: the values of Summary.Value with their steps. */
  readonly tags: Map<string, { readonly step: number; readonly value: Message }[]>;
}

function readFolder(name: string): Reading {
  const [file, ...more] = readdirSync(name).filter((entry) => entry.includes('tfevents'));
  expect(more).toEqual([]);
  const events = records(readFileSync(join(name, file))).map(parse);
  const tags: Reading['tags'] = new Map();
  for (const event of events) {
    for (const summary of inner(event, 5))
      for (const value of inner(summary, 1)) {
        const tag = text(value, 1);
        tags.set(tag, [...(tags.get(tag) ?? []), { step: Number(one(event, 2)), value }]);
      }
  }
  return { events, tags };
}

async function run(name: string, options: TensorBoardOptions = {}): Promise<{ history: History; model: ReturnType<typeof make> } & Reading> {
  const model = make();
  const history = await fit(model, data, {
    ...{ epochs: 3, batchSize: 8, loss: 'crossEntropy', metrics: ['accuracy'], validation: data },
    optimizer: adam({ learningRate: 0.01 }),
    callbacks: [tensorBoard(join(folder, name), options)],
  });
  return { history, model, ...readFolder(join(folder, name)) };
}

describe('event files', () => {
  test('checks of the format by hand', () => {
    const bytes = Buffer.from('123456789');
    expect([crc32c(bytes), crc32(bytes), bitwiseCrc(bytes)]).toEqual([0xe3069283, 0xcbf43926, 0xe3069283]);
  });

  test('scalars: every figure of every epoch, and of batches', async () => {
    const { events, tags, history } = await run('scalars', { everyBatches: 2 });
    expect(text(events[0], 3)).toBe('brain.Event:2');
    expect(Math.abs(Number(one(events[0], 1)) - Date.now() / 1000)).toBeLessThan(60);
    const series = (tag: string) => (tags.get(tag) ?? []).map(({ step, value }) => [step, one(value, 2)]);
    for (const [tag, figure] of [
      ['train/loss', 'loss'],
      ['train/accuracy', 'accuracy'],
      ['validation/loss', 'valLoss'],
      ['validation/accuracy', 'valAccuracy'],
    ])
      expect(series(tag)).toEqual(history.epochs.map((record) => [record.epoch, Math.fround(record[figure] as number)]));
    expect(series('batch/loss').map(([step]) => step)).toEqual([2, 4, 7, 9, 12, 14]);
  });

  test('histograms hold the weights', async () => {
    const { tags, model } = await run('histograms', { histogramEvery: 3, graph: false });
    const [last, ...others] = tags.get('weights/0.weight') ?? [];
    expect(others).toEqual([]);
    const [histogram] = inner(last.value, 5);
    const weights = [...model.parameters()[0].dataSync()];
    const moments = [Math.min(...weights), Math.max(...weights), 8, weights.reduce((a, b) => a + b), weights.reduce((a, b) => a + b * b, 0)];
    moments.forEach((value, i) => {
      expect(one(histogram, i + 1)).toBeCloseTo(value, 12);
    });
    const [limits, buckets] = [doubles(histogram, 6), doubles(histogram, 7)];
    expect(limits).toHaveLength(30);
    expect(limits.every((limit, i) => i === 0 || limit > limits[i - 1])).toBe(true);
    for (const k of [0, 11, 29]) {
      const [from, to] = [k === 0 ? Number.NEGATIVE_INFINITY : limits[k - 1], k === 29 ? Number.POSITIVE_INFINITY : limits[k]];
      expect(buckets[k]).toBe(weights.filter((value) => value >= from && value < to).length);
    }
    expect(buckets.reduce((a, b) => a + b)).toBe(8);
  });

  test('images are PNG files with the pixels', async () => {
    const shades = [0, 0.5, 1, 2, -1, 0.25];
    const grey = tensor(shades, { shape: [2, 3, 1] });
    const { tags } = await run('images', { images: () => ({ grey, colours: tensor(new Float32Array(2 * 3).fill(0.2), { shape: [2, 1, 1, 3] }) }) });
    expect([...tags.keys()].filter((tag) => tag.startsWith('images/'))).toEqual(['images/grey', 'images/colours/0', 'images/colours/1']);
    const [image] = inner((tags.get('images/grey') ?? [])[2].value, 4);
    expect([1, 2, 3].map((field) => Number(one(image, field)))).toEqual([2, 3, 1]);
    const png = one(image, 4) as Buffer;
    expect(png.subarray(0, 8)).toEqual(Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]));
    const header = png.subarray(16, 29);
    expect([header.readUInt32BE(0), header.readUInt32BE(4), header[8], header[9]]).toEqual([3, 2, 8, 0]);
    const length = png.readUInt32BE(33);
    expect(png.toString('latin1', 37, 41)).toBe('IDAT');
    // Rows are differences from the one above (filter 2), modulo 256.
    expect([...inflateSync(png.subarray(41, 41 + length))]).toEqual([2, 0, 128, 255, 2, 255 - 0, 256 + 0 - 128, 256 + 64 - 255]);
    await expect(run('bad', { images: () => ({ flat: tensor([1, 2]) }) })).rejects.toThrow(
      'fit: the callback tensorBoard failed in epochEnd: tensorBoard: the image flat is [2]. Expected [height, width, channels]',
    );
  });

  test('the graph has a node per layer, with its inputs and shape', async () => {
    const { events } = await run('graph');
    const [definition] = events.flatMap((event) => inner(event, 4));
    const nodes = inner(definition, 1).map((node) => ({ name: text(node, 1), op: text(node, 2), from: (node.get(3) ?? []).map(String) }));
    expect(nodes).toEqual([
      { name: 'inputs/x', op: 'input', from: [] },
      { name: '0', op: 'linear', from: ['inputs/x'] },
      { name: '1/inner', op: 'linear', from: ['0'] },
      { name: '1/output', op: 'Residual', from: ['1/inner', '0'] },
      { name: '2', op: 'relu', from: ['1/output'] },
      { name: '3', op: 'linear', from: ['2'] },
    ]);
    const [attribute] = inner(inner(definition, 1)[5], 5);
    expect(text(attribute, 1)).toBe('_output_shapes');
    const [shape] = inner(inner(inner(attribute, 2)[0], 1)[0], 7);
    expect(inner(shape, 2).map((dimension) => Number(one(dimension, 1)))).toEqual([1, 2]);
  });

  test('a resumed run goes on in its file, without what came after the checkpoint', async () => {
    const target = join(folder, 'resumed');
    const options = { batchSize: 8, loss: 'crossEntropy', epochs: 3 } as const;
    const controller = new AbortController();
    const broken = [
      tensorBoard(target, { everyBatches: 1 }),
      checkpoint(join(target, 'run')),
      lambda({ batchEnd: (r) => (r.epoch === 1 && r.batch === 3 ? controller.abort() : undefined) }),
    ];
    const optimizer = () => adam({ learningRate: 0.01 });
    await fit(make(), data, { ...options, optimizer: optimizer(), callbacks: broken, signal: controller.signal });
    const before = readFolder(target).events.length;
    // Another epoch that no checkpoint knows of.
    const lost = await loadCheckpoint(join(target, 'run'));
    await fit(make(), data, { ...options, optimizer: optimizer(), resume: lost, callbacks: [tensorBoard(target, { everyBatches: 1 })] });
    expect(readFolder(target).events.length).toBeGreaterThan(before);
    await fit(make(), data, { ...options, optimizer: optimizer(), resume: lost, callbacks: [tensorBoard(target, { everyBatches: 1 })] });
    const { tags } = readFolder(target);
    expect(tags.get('batch/loss')?.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(tags.get('train/loss')?.map(({ step }) => step)).toEqual([1, 2, 3]);
  });
});

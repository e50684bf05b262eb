/** All primitives. Importing this registers them; the type of `ops` refuses a primitive without an object. */
import './contract.ts';
import './conv.ts';
import './windows.ts';
import './indexed.ts';
import './random.ts';
import './scan.ts';
import type { OpName } from '../graph/attributes.ts';
import { binaryOps } from './binary.ts';
import { constant, iota, leaf } from './leaves.ts';
import { movementOps } from './movement.ts';
import type { Op } from './op.ts';
import { reduceOps } from './reduce.ts';
import { opNamed } from './registry.ts';
import { unaryOps } from './unary.ts';

/** An op that its file defines without exporting it; throws on import if it does not. */
const defined = <K extends OpName>(name: K): Op<K> => opNamed(name) as unknown as Op<K>;

export const ops: { readonly [K in OpName]: Op<K> } = {
  leaf,
  constant,
  iota,
  ...unaryOps,
  ...binaryOps,
  ...movementOps,
  ...reduceOps,
  cumsum: defined('cumsum'),
  contract: defined('contract'),
  conv: defined('conv'),
  windowSum: defined('windowSum'),
  windowSpread: defined('windowSpread'),
  windowMax: defined('windowMax'),
  windowArgMax: defined('windowArgMax'),
  windowPick: defined('windowPick'),
  windowPlace: defined('windowPlace'),
  take: defined('take'),
  scatterAdd: defined('scatterAdd'),
  argSort: defined('argSort'),
  randomBits: defined('randomBits'),
  scan: defined('scan'),
  part: defined('part'),
};

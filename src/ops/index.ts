/** All primitives. Importing this registers them; the type of `ops` refuses a primitive without an object. */
import type { OpName } from '../graph/attributes.ts';
import { binaryOps } from './binary.ts';
import { contractOps } from './contract.ts';
import { convOps } from './conv.ts';
import { indexedOps, sequentialOps } from './indexed.ts';
import { leafOps } from './leaves.ts';
import { movementOps } from './movement.ts';
import type { Op } from './op.ts';
import { randomOps } from './random.ts';
import { reduceOps } from './reduce.ts';
import { loopOps } from './scan.ts';
import { unaryOps } from './unary.ts';
import { windowOps } from './windows.ts';

export const ops: { readonly [K in OpName]: Op<K> } = {
  ...{ ...leafOps, ...unaryOps, ...binaryOps, ...movementOps, ...reduceOps, ...contractOps, ...convOps, ...windowOps },
  ...{ ...indexedOps, ...sequentialOps, ...randomOps, ...loopOps },
};

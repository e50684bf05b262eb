/**
 * Schedule of contractions and convolutions: a register tile of rows × vectors, its sums kept in registers over the whole depth; rows stream from
 * the first operand in place, columns come from panels (or rows) of the second. The epilogue (bias, activation, residual …) runs on the registers.
 */
import { sizeOf, stridesOf } from '../../core/shape.ts';
import { type Node, newNode } from '../../graph/node.ts';
import type { Expr, Target, Type } from '../../ir/ir.ts';
import { unitsFrom, unitsTo } from '../../ir/ir.ts';
import { Index, type LoopVar, loopVar, resetLoopVars, unflatten } from './affine.ts';
import { Builder, boolType, constantOf, indexAdd, indexConstant, indexMin, indexMul, indexSub, indexVariable, operation, scalarOf } from './builder.ts';
import { type Block, chooseDepthBlock, type Packed, packedStrides, rowsInCache } from './depth.ts';
import { alignedBuffers, type Contraction, type Dim, packsInside, packsRows, panelsAsUnits } from './dims.ts';
import { Emitter } from './emit.ts';
import { type Group, type Home, homeIndex, reindex } from './group.ts';
import type { Lowered } from './nest.ts';
import type { Stores } from './nest-plan.ts';
import { packPanel, packTile, prefetchRows } from './pack.ts';
import { chooseTile, evenly, remainders, type TileChoice } from './tile.ts';

type HomeInside = (node: Node, members: ReadonlySet<Node>) => Home | undefined;

/** One register tile: `count` rows from `row` on (each with all inner rows), the columns of a panel, and its block of the depth. */
interface Tile {
  readonly row: Expr;
  readonly count: number;
  readonly panel: Expr;
  readonly columns: number;
  readonly block: Block | undefined;
  /** The first of the rows that were packed together. */
  readonly first: Expr;
}

interface Range {
  readonly from: Expr;
  readonly to: Expr;
}

class ContractionLowering {
  private readonly b = new Builder();
  private readonly c: Contraction;
  private readonly target: Target;
  private readonly group: Group;
  private readonly stores: Stores;
  private readonly homeInside: HomeInside;
  private readonly tile: TileChoice;
  /** Columns of a panel. */
  private readonly width: number;
  private readonly type: Type;
  private readonly outerVars: LoopVar[];
  /** The dimension that tiles walk: the last of `outer` that the second operand does not have, or the one around it when tiles span both. */
  private readonly rowDim: number;
  private readonly rowExtent: number;
  /** The last row dimension, when every tile holds all of it; else −1. */
  private readonly innerDim: number;
  /** The dimension whose range is divided over threads (−1: none), unless panels are. */
  private readonly unitDim: number;
  /** The summed dimension `depthLevel` is done in blocks of `depthBlock` turns, the ones around it turn by turn: what a block touches stays in a near cache. */
  private readonly depthLevel: number;
  private readonly depthBlock: number;
  /** Panels of the second operand are packed by the kernel itself, block by block, just before they are used. */
  private readonly packsInside: boolean;
  /** Rows of the first operand are packed by the kernel itself, a block at a time, tile by tile (dims.ts says where). */
  private readonly packsRows: boolean;
  private readonly packed: Packed;
  /** Where sums wait between blocks of the depth: panel by panel, so that those of a tile's rows are neighbours. */
  private readonly partial: Node | undefined;
  private readonly sumStrides: readonly number[];
  private readonly scratch: Node;
  private readonly rowsPacked: Packed;
  private readonly rowScratch: Node;
  /** Elements of the packed rows of a unit, with room behind them. */
  private readonly rowPlace: number;
  private readonly byPanels: boolean;
  /** Panels of a unit, where panels are divided over threads. */
  private readonly unitPanels: number;
  /** Addresses of the epilogue. */
  private readonly touched: { buffer: Node; flat: string; store: boolean }[] = [];
  private readonly aSlot: number;
  private readonly bSlot: number;

  constructor(c: Contraction, group: Group, stores: Stores, homeInside: HomeInside, target: Target) {
    this.c = c;
    this.target = target;
    this.group = group;
    this.stores = stores;
    this.homeInside = homeInside;
    const scalar = scalarOf(c.node.dtype);
    this.type = { scalar, lanes: target.lanes };
    const last = c.outer.findLastIndex((d) => d.b === 0);
    this.unitDim = c.outer.findIndex((d) => d.extent > 1);
    const around = last > 0 && last - 1 !== this.unitDim && c.outer[last - 1].b === 0 ? c.outer[last - 1].extent : 1;
    const shared = last === this.unitDim ? target.threads : 1;
    const rows = last >= 0 ? Math.ceil(c.outer[last].extent / shared) : 1;
    this.tile = chooseTile(target, { rows, around, columns: c.columns.extent, wide: scalar === 'f64', width: c.panel?.width });
    this.width = this.tile.vectors * target.lanes;
    this.rowDim = this.tile.inner > 1 ? last - 1 : last;
    this.rowExtent = this.rowDim >= 0 ? c.outer[this.rowDim].extent : 1;
    this.innerDim = this.tile.inner > 1 ? last : -1;
    this.packsInside = packsInside(c, target, this.width);
    this.packsRows = packsRows(c, this.width);
    [this.depthLevel, this.depthBlock] = chooseDepthBlock(c, target, this.width, this.packsRows);
    this.packed = packedStrides(c, this.width, this.depthLevel, this.depthBlock);
    const panels = Math.ceil(c.columns.extent / this.width);
    this.byPanels = panelsAsUnits(c, target, this.width);
    // Every unit packs rows anew: few units then.
    this.unitPanels = this.packsRows ? Math.ceil(panels / (2 * target.threads)) : 1;
    const units = this.byPanels ? Math.ceil(panels / this.unitPanels) : this.unitDim < 0 ? 1 : c.outer[this.unitDim].extent;
    const inBlocks = this.depthLevel > 0 || this.depthBlock < (c.depth[0]?.extent ?? 1);
    this.sumStrides = stridesOf([panels, ...c.outer.map((d) => d.extent), this.width]);
    const scratch = (shape: readonly number[]): Node => newNode('leaf', [], { source: { kind: 'storage' } }, { shape, dtype: c.node.dtype });
    this.partial = inBlocks ? scratch([panels * this.sumStrides[0]]) : undefined;
    this.scratch = scratch([units, this.packed.size]);
    this.rowsPacked = packedStrides(c, 1, this.depthLevel, this.depthBlock);
    const perUnit = this.unitDim === this.rowDim && !this.byPanels ? 1 : Math.min(this.rowExtent, this.rowsOfBlock);
    this.rowPlace = perUnit * this.rowsPacked.size + target.lanes;
    this.rowScratch = scratch([units, this.rowPlace]);
    this.outerVars = c.outer.map((d) => loopVar('m', d.extent));
    this.aSlot = this.b.buffer(c.a.buffer);
    this.bSlot = this.b.buffer(c.b.buffer);
  }

  lower(): Lowered {
    const { c, b, byPanels } = this;
    const first = this.unitDim;
    const panels = Math.ceil(c.columns.extent / this.width);
    const loops = c.outer.map((_, i) => i).filter((i) => i !== this.rowDim && i !== this.innerDim && (byPanels || i !== first));
    const nest = (make: () => void): void =>
      loops.reduceRight((body, i) => () => b.loop(this.outerVars[i].name, indexConstant(0), indexConstant(c.outer[i].extent), 1, body), make)();
    const inside = (rowRange: Range, panelRange: Range | undefined): void =>
      this.depthBlocks((block) =>
        nest(() =>
          this.rowBlocks(rowRange, (rows) => {
            if (block && this.packsRows) this.packRows(rows, block);
            this.panels(panelRange, (panel, columns) => {
              if (block && this.packsInside) this.pack(panel, columns, block);
              this.rows(rows, (row, count, from) => this.tileAt({ row, count, panel, columns, block, first: from }));
            });
          }),
        ),
      );
    const allRows = { from: indexConstant(0), to: indexConstant(this.rowExtent) };
    let units = 1;
    if (byPanels) {
      units = Math.ceil(panels / this.unitPanels);
      inside(allRows, { from: indexMul(unitsFrom, this.unitPanels), to: indexMin(indexMul(unitsTo, this.unitPanels), indexConstant(panels)) });
    } else if (first >= 0 && first === this.rowDim) {
      units = this.rowExtent;
      inside({ from: unitsFrom, to: unitsTo }, undefined);
    } else if (first >= 0) {
      units = c.outer[first].extent;
      b.loop(this.outerVars[first].name, unitsFrom, unitsTo, 1, () => inside(allRows, undefined));
    } else inside(allRows, undefined);
    const bytes = b.buffers.reduce((sum, { node }) => sum + sizeOf(node.shape) * 4, 0);
    const kernel = b.finish(this.describe(), c.flops, bytes);
    return {
      kernel,
      buffers: b.buffers,
      units,
      callUnits: first === this.rowDim && !byPanels ? 2 * this.tile.rows : 1,
      aligned: byPanels ? new Set() : alignedBuffers(c, first, this.group.members, b.buffers),
      samePlace: (read, written) => this.samePlace(read, written),
    };
  }

  /** Rows that are done while all panels go by. */
  private get rowsOfBlock(): number {
    return rowsInCache(this.c, this.target, this.packsRows ? this.rowsPacked.size : undefined, this.depthBlock, this.tile.rows);
  }

  /** The blocks of the depth, outside of all loops over the result. */
  private depthBlocks(make: (block: Block | undefined) => void): void {
    if (!this.partial && !this.packsInside && !this.packsRows) {
      make(undefined);
      return;
    }
    const { b, c } = this;
    const around: Expr[] = [];
    const walk = (level: number): void => {
      const { extent } = c.depth[level];
      const step = level === this.depthLevel ? this.depthBlock : 1;
      b.loop(b.fresh('block'), indexConstant(0), indexConstant(extent), step, (at) => {
        if (level < this.depthLevel) {
          around.push(at);
          walk(level + 1);
          around.pop();
          return;
        }
        make({ around: [...around], from: at, to: b.let(indexMin(indexAdd(at, indexConstant(this.depthBlock)), indexConstant(extent))) });
      });
    };
    walk(0);
  }

  /** Rows in blocks that stay in the second-level cache while all panels go by, where a thread has more than that. */
  private rowBlocks(range: Range, make: (rows: Range) => void): void {
    const { b, c } = this;
    const most = this.rowsOfBlock;
    const share = this.rowExtent / (this.byPanels || this.rowDim !== this.unitDim ? 1 : this.target.threads);
    if (share <= most || (!this.packsRows && (this.packsInside || c.outer.length !== 1 || this.rowDim < 0 || c.columns.extent <= this.width))) {
      make(range);
      return;
    }
    const even = this.tile.rows * Math.ceil(share / Math.ceil(share / most) / this.tile.rows);
    b.loop(b.fresh('rows'), range.from, range.to, even, (from) => {
      make({ from, to: b.let(indexMin(indexAdd(from, indexConstant(even)), range.to)) });
    });
  }

  /** Whole panels in a loop, then the one that is left with its own number of vectors. */
  private panels(range: Range | undefined, make: (panel: Expr, columns: number) => void): void {
    const { b, width } = this;
    const whole = Math.floor(this.c.columns.extent / width);
    const rest = this.c.columns.extent - whole * width;
    const count = whole + (rest > 0 ? 1 : 0);
    if (!range && count === 1) {
      make(indexConstant(0), this.c.columns.extent);
      return;
    }
    const less = (x: Expr, y: Expr): Expr => operation('less', boolType, x, y);
    b.loop(b.fresh('panel'), range?.from ?? indexConstant(0), range?.to ?? indexConstant(count), 1, (panel) => {
      if (whole === 0 || rest === 0) make(panel, rest === 0 ? width : rest);
      else {
        b.when(less(panel, indexConstant(whole)), () => make(panel, width));
        b.when(less(indexConstant(whole - 1), panel), () => make(panel, rest));
      }
    });
  }

  /** Tiles: a row, a number of rows, and the first row of the range. */
  private rows({ from, to }: Range, make: (row: Expr, count: number, from: Expr) => void): void {
    if (this.rowDim < 0) {
      make(indexConstant(0), 1, from);
      return;
    }
    const { b } = this;
    if (from.kind === 'const' && to.kind === 'const') {
      let at = 0;
      for (const { size, count } of evenly(this.rowExtent, this.tile.rows)) {
        const end = at + size * count;
        if (count === 1) make(indexConstant(at), size, from);
        else b.loop(b.fresh('row'), indexConstant(at), indexConstant(end), size, (row) => make(row, size, from));
        at = end;
      }
      return;
    }
    // The range is known only when the kernel runs: whole tiles, then smaller ones.
    const at = b.declare(from, 'row');
    const step = (count: number): void => {
      b.loop(b.fresh('row'), at, indexSub(to, indexConstant(count - 1)), count, (row) => {
        make(row, count, from);
        b.assign(at, indexAdd(row, indexConstant(count)));
      });
    };
    for (const count of [this.tile.rows, ...remainders(this.tile.rows)]) step(count);
  }

  /** One register tile: sums over the depth, then the epilogue. */
  private tileAt(tile: Tile): void {
    const { c, b, type } = this;
    const { lanes } = this.target;
    const { row, panel, columns, block } = tile;
    const vectors = Math.ceil(columns / lanes);
    const tail = columns % lanes;
    const offsets = this.rowOffsets(tile.count);
    const panelAt = indexMul(panel, c.panel ? c.panel.stride : this.width);
    if (this.packsInside) this.prefetch(tile);
    const aSlot = this.packsRows ? b.buffer(this.rowScratch) : this.aSlot;
    const aStart = b.let(this.packsRows ? this.rowsPlace(row, tile.first) : this.operandAt('a', row));
    const bStart = b.let(this.packsInside ? this.packedPlace : indexAdd(this.operandAt('b', row), panelAt));
    const sums = offsets.map(() => Array.from({ length: vectors }, () => b.declare(constantOf(type, 0))));
    if (block && this.partial) {
      const done = [...block.around, block.from].reduce(indexAdd);
      b.when(operation('less', boolType, indexConstant(0), done), () => this.eachSum(tile, sums, (sum, load) => b.assign(sum, load())));
    }
    const bSlot = this.packsInside ? b.buffer(this.scratch) : this.bSlot;
    const inner = (aAt: Expr, bAt: Expr): void => {
      const columnVectors = Array.from({ length: vectors }, (_, v) => {
        const partial = c.panel === undefined && !this.packsInside && v === vectors - 1 && tail > 0;
        return b.let({
          kind: 'load',
          type,
          buffer: bSlot,
          index: indexAdd(bAt, indexConstant(v * lanes)),
          stride: 1,
          ...(partial ? { count: indexConstant(tail) } : {}),
        });
      });
      offsets.forEach(({ a }, r) => {
        const value = b.let({ kind: 'load', type, buffer: aSlot, index: indexAdd(aAt, indexConstant(this.packsRows ? r : a)), stride: 0 });
        for (let v = 0; v < vectors; v++) b.assign(sums[r][v], operation('fma', type, value, columnVectors[v], sums[r][v]));
      });
    };
    const depth = (dims: readonly Dim[], aAt: Expr, bAt: Expr): void => {
      const [d, ...rest] = dims;
      if (!d) {
        inner(aAt, bAt);
        return;
      }
      const level = c.depth.length - dims.length;
      const around = block?.around[level];
      const bStride = this.packsInside ? this.packed.strides[level] : d.b;
      const aStride = this.packsRows ? this.rowsPacked.strides[level] * offsets.length : d.a;
      const next = (at: Expr, by: Expr, stride: number): Expr => (stride === 0 ? at : indexAdd(at, indexMul(by, stride)));
      if (block && around) {
        depth(rest, next(aAt, around, aStride), next(bAt, around, bStride));
        return;
      }
      const blocked = block !== undefined && level === this.depthLevel;
      const begin = (at: Expr, stride: number): Expr => (blocked ? b.let(next(at, block.from, stride)) : at);
      const [aFrom, bFrom] = [this.packsRows ? aAt : begin(aAt, aStride), this.packsInside ? bAt : begin(bAt, bStride)];
      const most = blocked ? this.depthBlock : d.extent;
      const turns = blocked && d.extent % most > 0 ? b.let(indexSub(block.to, block.from)) : indexConstant(most);
      const unroll = rest.length === 0 && d.extent > 1 ? Math.max(1, Math.min(4, Math.floor(96 / (offsets.length * vectors)))) : undefined;
      // Engines of WebAssembly do not unroll: steps side by side share their addresses. The rows' place is named, so that few offsets occur with it. Without a fused
      // multiply-add, products of several steps would wait in registers that are not there.
      const whole = this.target.language === 'wasm' && this.target.fma && tile.count === this.tile.rows && columns === this.width;
      const steps = whole && unroll === 4 && d.extent % most === 0 ? ([8, 4].find((count) => most % count === 0) ?? 1) : 1;
      const step = (k: Expr, j: number): void =>
        depth(rest, b.let(indexAdd(next(aFrom, k, aStride), indexConstant(j * aStride))), indexAdd(next(bFrom, k, bStride), indexConstant(j * bStride)));
      b.loop(b.fresh('k'), indexConstant(0), turns, steps, (k) => Array.from({ length: steps }, (_, j) => step(k, j)), unroll);
    };
    depth(c.depth, aStart, bStart);
    if (!block || !this.partial) {
      this.epilogue(tile, sums);
      return;
    }
    const less = (x: Expr, y: Expr): Expr => b.op('less', boolType, x, y);
    const more = [
      less(block.to, indexConstant(c.depth[this.depthLevel].extent)),
      ...block.around.map((at, i) => less(at, indexConstant(c.depth[i].extent - 1))),
    ].reduce((x, y) => b.op('logicalOr', boolType, x, y));
    const waiting = b.block(() => this.eachSum(tile, sums, (sum, _load, store) => store(sum)));
    const last = b.block(() => this.epilogue(tile, sums));
    b.push({ kind: 'if', condition: more, body: waiting, otherwise: last });
  }

  /** Where an operand's part for the loops around begins. */
  private operandAt(operand: 'a' | 'b', row: Expr): Expr {
    return this.c.outer.reduce((base, d, i) => {
      if (i === this.innerDim || d[operand] === 0) return base;
      return indexAdd(base, indexMul(i === this.rowDim ? row : indexVariable(this.outerVars[i].name), d[operand]));
    }, indexConstant(this.c[operand].offset));
  }

  /** Each thread packs into a place of its own, found by where its range begins. */
  private get packedPlace(): Expr {
    return indexMul(unitsFrom, this.packed.size);
  }

  private pack(panel: Expr, columns: number, block: Block): void {
    const { b, c, target, type, packed, depthLevel, bSlot: source } = this;
    const from = indexAdd(indexConstant(c.b.offset), indexMul(panel, this.width * c.columns.b));
    packPanel({ b, c, target, type, packed, depthLevel, source, destination: b.buffer(this.scratch, true) }, columns, block, from, this.packedPlace);
  }

  /** A tile asks for its part of the next panel: columns far apart in memory come too late when packing reads them. */
  private prefetch({ row, count, panel, block }: Tile): void {
    const { b, c, width } = this;
    if (!block || c.depth.length > 1 || c.columns.b !== 1 || this.rowExtent > this.depthBlock) return;
    const each = Math.ceil(this.depthBlock / this.rowExtent);
    const next = indexAdd(indexMul(panel, width), indexConstant(c.b.offset + width));
    const from = b.let(indexAdd(next, indexMul(indexAdd(block.from, indexMul(row, each)), c.depth[0].b)));
    prefetchRows({ b, source: this.bSlot }, { from, rows: count * each, stride: c.depth[0].b, columns: width });
  }

  private rowsPlace(row: Expr, first: Expr): Expr {
    return indexAdd(indexMul(unitsFrom, this.rowPlace), indexMul(indexSub(row, first), this.rowsPacked.size));
  }

  private packRows(rows: Range, block: Block): void {
    const { b, c, target, type, depthLevel, aSlot: source } = this;
    const packing = { b, c, target, type, packed: this.rowsPacked, depthLevel, source, destination: b.buffer(this.rowScratch, true) };
    this.rows(rows, (row, count, first) => packTile(packing, count, block, this.operandAt('a', row), this.rowsPlace(row, first)));
  }

  /** Offsets of the rows of a tile, in the first operand and as indices along the row dimensions. */
  private rowOffsets(count: number): { a: number; row: number; inner: number }[] {
    const { c } = this;
    const rowStride = this.rowDim >= 0 ? c.outer[this.rowDim].a : 0;
    const innerStride = this.innerDim >= 0 ? c.outer[this.innerDim].a : 0;
    return Array.from({ length: count * this.tile.inner }, (_, r) => {
      const [row, inner] = [Math.floor(r / this.tile.inner), r % this.tile.inner];
      return { a: row * rowStride + inner * innerStride, row, inner };
    });
  }

  /** Visits every sum of a tile with where it waits between blocks of the depth. */
  private eachSum(tile: Tile, sums: readonly (readonly Expr[])[], visit: (sum: Expr, load: () => Expr, store: (value: Expr) => void) => void): void {
    const { b, c, type } = this;
    const { lanes } = this.target;
    const buffer = b.buffer(this.partial as Node, true);
    const [panelStride, ...strides] = this.sumStrides;
    let base: Expr = indexMul(tile.panel, panelStride);
    c.outer.forEach((_, i) => {
      if (i !== this.innerDim) base = indexAdd(base, indexMul(i === this.rowDim ? tile.row : indexVariable(this.outerVars[i].name), strides[i]));
    });
    const start = b.let(base);
    const offsets = this.rowOffsets(tile.count);
    sums.forEach((vectors, r) => {
      const offset = offsets[r].row * (strides[this.rowDim] ?? 0) + offsets[r].inner * (strides[this.innerDim] ?? 0);
      vectors.forEach((sum, v) => {
        const index = indexAdd(start, indexConstant(offset + v * lanes));
        visit(
          sum,
          () => ({ kind: 'load', type, buffer, index, stride: 1 }),
          (value) => b.push({ kind: 'store', buffer, index, value, stride: 1 }),
        );
      });
    });
  }

  private epilogue(tile: Tile, sums: readonly (readonly Expr[])[]): void {
    const { c, b, group } = this;
    const { lanes } = this.target;
    const tail = tile.columns % lanes;
    const members = new Set(group.members);
    const offsets = this.rowOffsets(tile.count);
    // The tile's first row: adding any of its rows stays inside the dimension.
    const rowVar = loopVar('row', this.rowDim >= 0 ? c.outer[this.rowDim].extent - tile.count + 1 : 1);
    b.push({ kind: 'let', name: rowVar.name, value: tile.row });
    const start = b.let(indexMul(tile.panel, this.width));
    sums[0].forEach((_, v) => {
      const column = loopVar('column', c.columns.extent);
      b.push({ kind: 'let', name: column.name, value: indexAdd(start, indexConstant(v * lanes)) });
      const partial = v === sums[0].length - 1 && tail > 0 ? tail : undefined;
      const count = partial === undefined ? {} : { count: indexConstant(partial) };
      offsets.forEach(({ row, inner }, r) => {
        const point = this.point(Index.of(rowVar).add(row), Index.of(inner), Index.of(column));
        const emitter = new Emitter({
          builder: b,
          vector: { along: column, lanes, ...count },
          homeOf: (node) => this.homeInside(node, members),
          inRegister: (node) => (node === c.node ? sums[r][v] : undefined),
          onAccess: (buffer, flat) => {
            if (buffer && this.touched.length < 4096) this.touched.push({ buffer, flat: flat.key, store: false });
          },
        });
        const values = group.members.map((member) => {
          const index = reindex(point, c.node.shape, member.shape);
          return { member, index, value: emitter.value(member, index) };
        });
        for (const { member, index, value } of values) {
          for (const home of this.stores.get(member) ?? []) {
            const flat = homeIndex(home, member.shape, index);
            if (this.touched.length < 4096) this.touched.push({ buffer: home.buffer, flat: flat.key, store: true });
            b.store(home.buffer, flat, value, { along: column, lanes, count: partial });
          }
        }
      });
    });
  }

  /** Index of the result at a row and a column, one entry per dimension of the node. */
  private point(row: Index, inner: Index, column: Index): Index[] {
    const { c } = this;
    let flat = column;
    c.outer.forEach((d, i) => {
      flat = flat.add((i === this.rowDim ? row : i === this.innerDim ? inner : Index.of(this.outerVars[i])).scale(d.out));
    });
    // Each dimension of the node is found again by its stride; merged dimensions come back through quotients.
    return unflatten(flat, c.node.shape);
  }

  private samePlace(read: Node, written: Node): boolean {
    if (read === this.c.a.buffer || read === this.c.b.buffer) return false;
    const reads = this.touched.filter((t) => t.buffer === read);
    const writes = new Set(this.touched.filter((t) => t.buffer === written && t.store).map((t) => t.flat));
    return reads.every((t) => t.store || writes.has(t.flat));
  }

  private describe(): string {
    const { c } = this;
    const rows = c.outer.map((d) => d.extent).join('x') || '1';
    const epilogue = this.group.members.slice(1).map((n) => n.op);
    return `${c.node.op} ${rows} x ${c.columns.extent} over ${c.depth.map((d) => d.extent).join('x') || '1'}, tile ${this.tile.inner > 1 ? `${this.tile.rows}x${this.tile.inner}` : this.tile.rows}x${this.tile.vectors}${this.partial ? ` by ${this.depthBlock}` : ''}${this.packsInside ? ', packing' : ''}${this.packsRows ? ', rows packed' : ''}${c.panel ? ', packed' : ''}${epilogue.length > 0 ? ` + ${epilogue.join(' ')}` : ''}`;
  }
}

export function lowerContraction(c: Contraction, group: Group, stores: Stores, homeInside: HomeInside, target: Target): Lowered {
  resetLoopVars();
  return new ContractionLowering(c, group, stores, homeInside, target).lower();
}

/**
 * Symbolic indices: integer sums of loop variables, quotients and remainders, with known ranges. Exact for non-negative numbers.
 * Movement operations become rewrites of these sums, so that most of them cost nothing in the generated code.
 */

/** A loop variable with values 0 … extent−1. */
export interface LoopVar {
  readonly kind: 'loop';
  readonly name: string;
  readonly extent: number;
}

/** A quotient or remainder that could not be simplified away. */
interface Division {
  readonly kind: 'div' | 'mod';
  readonly of: Index;
  readonly by: number;
  readonly name: string;
}

/** A value computed in the kernel (a loaded index, a clamped one): `name` is its IR variable. */
export interface Opaque {
  readonly kind: 'opaque';
  readonly name: string;
  readonly extent: number;
  /** Whether it differs between the lanes of a vector. */
  readonly vector: boolean;
}

export type Atom = LoopVar | Division | Opaque;

export interface Term {
  readonly atom: Atom;
  readonly coefficient: number;
}

let loopVars = 0;
export const loopVar = (prefix: string, extent: number): LoopVar => ({ kind: 'loop', name: `${prefix}_${loopVars++}`, extent });
/** Kernel texts must not depend on what was compiled before: each kernel numbers its variables from 0. */
export const resetLoopVars = (): void => {
  loopVars = 0;
};

export class Index {
  /** Sorted by atom name, coefficients not 0. */
  readonly terms: readonly Term[];
  readonly constant: number;
  readonly min: number;
  readonly max: number;
  /** Holds a value that differs between lanes. */
  readonly lanewise: boolean;
  private text: string | undefined;

  private constructor(terms: readonly Term[], constant: number) {
    this.terms = terms;
    this.constant = constant;
    let min = constant;
    let max = constant;
    let lanewise = false;
    for (const { atom, coefficient } of terms) {
      const top = topOf(atom);
      if (coefficient > 0) max += coefficient * top;
      else min += coefficient * top;
      if (atom.kind !== 'loop') lanewise ||= atom.kind === 'opaque' ? atom.vector : atom.of.lanewise;
    }
    this.min = min;
    this.max = max;
    this.lanewise = lanewise;
  }

  /** Equal indices have equal keys. Written when first asked for: most indices are only passing through. */
  get key(): string {
    if (this.text === undefined) {
      let text = '';
      for (const { atom, coefficient } of this.terms) text += `${text === '' ? '' : '+'}${coefficient}*${atom.name}`;
      this.text = this.constant !== 0 || text === '' ? `${text}+${this.constant}` : text;
    }
    return this.text;
  }

  static of(value: number | Atom): Index {
    return typeof value === 'number' ? new Index([], value) : new Index([{ atom: value, coefficient: 1 }], 0);
  }

  add(other: Index | number): Index {
    if (typeof other === 'number') return other === 0 ? this : new Index(this.terms, this.constant + other);
    if (other.terms.length === 0) return this.add(other.constant);
    if (this.terms.length === 0) return other.add(this.constant);
    return new Index(mergeTerms(this.terms, other.terms), this.constant + other.constant);
  }

  scale(factor: number): Index {
    if (factor === 1) return this;
    if (factor === 0) return Index.of(0);
    return new Index(
      this.terms.map((t) => ({ atom: t.atom, coefficient: t.coefficient * factor })),
      this.constant * factor,
    );
  }

  /** floor(this / by); this ≥ 0. */
  div(by: number): Index {
    if (by === 1) return this;
    const [whole, rest] = this.splitBy(by);
    if (rest.min >= 0 && rest.max < by) return whole;
    if (rest.terms.length === 1 && rest.constant === 0) {
      // floor(c·(x / d) / by): quotients of quotients
      const only = rest.terms[0];
      if (only.atom.kind === 'div' && only.coefficient === 1) return whole.add(only.atom.of.div(only.atom.by * by));
    }
    return whole.add(division('div', rest, by));
  }

  /** this mod by; this ≥ 0. */
  mod(by: number): Index {
    if (by === 1) return Index.of(0);
    const [, rest] = this.splitBy(by);
    if (rest.min >= 0 && rest.max < by) return rest;
    return division('mod', rest, by);
  }

  /** this = by · whole + rest, with as much as possible in whole and rest kept non-negative. */
  private splitBy(by: number): [Index, Index] {
    const whole: Term[] = [];
    const rest: Term[] = [];
    for (const t of this.terms) {
      const q = Math.floor(t.coefficient / by);
      const r = t.coefficient - q * by;
      if (r === 0) whole.push({ atom: t.atom, coefficient: q });
      else rest.push(t);
    }
    const restMin = rest.reduce((m, t) => m + Math.min(0, t.coefficient * topOf(t.atom)), 0);
    let constantRest = ((this.constant % by) + by) % by;
    if (restMin + constantRest < 0) constantRest = this.constant;
    return [new Index(whole, (this.constant - constantRest) / by), new Index(rest, constantRest)];
  }

  /** The index with `by` in place of a variable, where it occurs as a term. */
  substitute(variable: LoopVar, by: Index): Index {
    const coefficient = this.coefficientOf(variable);
    return coefficient === 0 ? this : this.add(Index.of(variable).scale(-coefficient)).add(by.scale(coefficient));
  }

  coefficientOf(atom: Atom): number {
    return this.terms.find((t) => t.atom.name === atom.name)?.coefficient ?? 0;
  }

  /** Whether the atom occurs inside a quotient or remainder (so that the index is not affine in it). */
  hides(atom: Atom): boolean {
    return this.terms.some((t) => (t.atom.kind === 'div' || t.atom.kind === 'mod') && t.atom.of.mentions(atom));
  }

  mentions(atom: Atom): boolean {
    return this.terms.some((t) => t.atom.name === atom.name) || this.hides(atom);
  }

  /** Quotients and remainders of plain sums that occur in it, innermost first. */
  divisions(): Division[] {
    return this.terms.flatMap(({ atom }) => (atom.kind === 'div' || atom.kind === 'mod' ? [...atom.of.divisions(), atom] : []));
  }
}

const topOf = (atom: Atom): number => {
  switch (atom.kind) {
    case 'loop':
    case 'opaque':
      return atom.extent - 1;
    case 'mod':
      return atom.by - 1;
    case 'div':
      return Math.floor(atom.of.max / atom.by);
  }
};

const division = (kind: 'div' | 'mod', of: Index, by: number): Index => Index.of({ kind, of, by, name: `${kind}(${of.key},${by})` });

/** The terms of a sum: both lists are sorted by name. */
function mergeTerms(a: readonly Term[], b: readonly Term[]): Term[] {
  const out: Term[] = [];
  let remainders = false;
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const [x, y] = [a[i], b[j]];
    let next: Term;
    if (j === b.length || (i < a.length && x.atom.name < y.atom.name)) {
      next = x;
      i++;
    } else if (i === a.length || y.atom.name < x.atom.name) {
      next = y;
      j++;
    } else {
      next = { atom: x.atom, coefficient: x.coefficient + y.coefficient };
      i++;
      j++;
    }
    if (next.coefficient === 0) continue;
    if (next.atom.kind === 'mod') remainders = true;
    out.push(next);
  }
  return remainders ? recombine(out) : out;
}

/** c·by·(x div by) + c·(x mod by) = c·x */
function recombine(terms: Term[]): Term[] {
  for (const t of terms) {
    if (t.atom.kind !== 'mod' || t.atom.of.constant !== 0) continue;
    const { of, by } = t.atom;
    const quotientName = quotientNameOf(of, by);
    const q = terms.find((x) => x.atom.name === quotientName);
    if (!q || q.coefficient !== t.coefficient * by) continue;
    const rest = terms.filter((x) => x !== t && x !== q);
    return mergeTerms(
      rest,
      of.terms.map((inner) => ({ atom: inner.atom, coefficient: inner.coefficient * t.coefficient })),
    );
  }
  return terms;
}

/** The name of floor(of / by) as `div` writes it: a quotient of a quotient is one quotient. */
function quotientNameOf(of: Index, by: number): string {
  const [only] = of.terms;
  if (of.terms.length === 1 && of.constant === 0 && only.coefficient === 1 && only.atom.kind === 'div') return `div(${only.atom.of.key},${only.atom.by * by})`;
  return `div(${of.key},${by})`;
}

export const zeroIndex = Index.of(0);

/** Row-major flat index. */
export function flatten(index: readonly Index[], shape: readonly number[]): Index {
  let flat = zeroIndex;
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    flat = flat.add(index[i].scale(stride));
    stride *= shape[i];
  }
  return flat;
}

/** The index in a shape of a flat row-major index. */
export function unflatten(flat: Index, shape: readonly number[]): Index[] {
  const out = new Array<Index>(shape.length);
  let rest = flat;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] === 1) out[i] = zeroIndex;
    else out[i] = i === 0 ? rest : rest.mod(shape[i]);
    rest = rest.div(shape[i]);
  }
  return out;
}

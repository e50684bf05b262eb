/** Writes one WebAssembly function: local variables by scope, statements in order, structured control. */
import type { Code } from './instructions.ts';
import { op } from './instructions.ts';

export type ValueType = 'i32' | 'f32' | 'f64' | 'v128';

export interface FunctionText {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly result?: ValueType;
  /** Types of the local variables behind the parameters. */
  readonly locals: readonly ValueType[];
  readonly body: Code;
}

/** A local variable. */
export interface Local {
  readonly number: number;
  readonly type: ValueType;
}

const noResult = -64;

export const get = (local: Local): Code => ({ op: 'local.get', number: local.number });

export class FunctionBuilder {
  private readonly parameters: ValueType[] = [];
  private readonly locals: ValueType[] = [];
  /** Locals whose scope has ended, to be used again. */
  private readonly free: Record<ValueType, Local[]> = { i32: [], f32: [], f64: [], v128: [] };
  private taken: Local[] = [];
  private body: Code[] = [];
  readonly name: string;
  private readonly resultType: ValueType | undefined;

  constructor(name: string, resultType?: ValueType) {
    this.name = name;
    this.resultType = resultType;
  }

  parameter(type: ValueType): Local {
    this.parameters.push(type);
    return { number: this.parameters.length - 1, type };
  }

  /** A variable that lives until the innermost block ends. Its contents are whatever was there. */
  local(type: ValueType): Local {
    const again = this.free[type].pop();
    const local = again ?? { number: this.parameters.length + this.locals.length, type };
    if (!again) this.locals.push(type);
    this.taken.push(local);
    return local;
  }

  emit(...code: readonly Code[]): void {
    this.body.push(...code);
  }

  set(local: Local, value: Code): void {
    this.emit(value, { op: 'local.set', number: local.number });
  }

  /** The value in a variable of its own: to be used more than once. */
  hold(value: Code, type: ValueType = 'v128'): Code {
    if (!Array.isArray(value) && (value as { op?: string }).op === 'local.get') return value;
    const local = this.local(type);
    this.set(local, value);
    return get(local);
  }

  /** The code that `make` emits, in a scope of its own. */
  scope(make: () => void): Code {
    const { taken, body } = this;
    this.taken = [];
    this.body = [];
    make();
    const made = this.body;
    for (const local of this.taken) this.free[local.type].push(local);
    this.taken = taken;
    this.body = body;
    return made;
  }

  when(condition: Code, body: () => void, otherwise?: () => void): void {
    const code: Code[] = [condition, { op: 'if', number: noResult }, this.scope(body)];
    if (otherwise) code.push({ op: 'else' }, this.scope(otherwise));
    this.emit(code, { op: 'end' });
  }

  /** for (counter = from; counter < to; counter += step). `to` must not change meanwhile. */
  loop(counter: Local, range: { readonly from: Code; readonly to: Code; readonly step: Code; readonly atLeastOnce?: boolean }, body: () => void): void {
    const goesOn = op('i32.lt_s', get(counter), range.to);
    this.set(counter, range.from);
    const turn: Code = [
      { op: 'loop', number: noResult },
      this.scope(body),
      op('i32.add', get(counter), range.step),
      { op: 'local.set', number: counter.number },
      goesOn,
      { op: 'br_if', number: 0 },
      { op: 'end' },
    ];
    this.emit(range.atLeastOnce ? turn : [goesOn, { op: 'if', number: noResult }, turn, { op: 'end' }]);
  }

  /** Turns for as long as the condition holds; `condition` may emit. */
  whileTrue(condition: () => Code): void {
    this.emit(
      { op: 'loop', number: noResult },
      this.scope(() => this.emit(condition(), { op: 'br_if', number: 0 })),
      { op: 'end' },
    );
  }

  finish(result?: Code): FunctionText {
    if (result) this.emit(result);
    const { name, parameters, locals, body } = this;
    return { name, parameters, locals, body, ...(this.resultType ? { result: this.resultType } : {}) };
  }
}

/** Prints kernels of the loop IR as C functions over GCC/Clang vector types. Only prints: every decision was taken before. */
import { fail, unreachable } from '../core/errors.ts';
import { encodeArray } from '../core/half.ts';
import type { ElementaryOp, Expr, IrOp, Kernel, RoundingOp, Scalar, Stmt, Target, Type } from '../ir/ir.ts';

const scalarNames: Record<Scalar, string> = {
  f32: 'float',
  f64: 'double',
  f16: 'uint16_t',
  bf16: 'uint16_t',
  i32: 'int32_t',
  u8: 'uint8_t',
  bool: 'uint8_t',
  index: 'int64_t',
};
/** Vector types of the prelude. A bool vector is a mask of 32-bit lanes. */
const vectorNames: Record<Scalar, string> = { f32: 'f32v', f64: 'f64v', f16: 'u16v', bf16: 'u16v', i32: 'i32v', u8: 'u8v', bool: 'i32v', index: 'i32v' };

const typeName = (type: Type): string => {
  if (type.lanes > 1) return vectorNames[type.scalar];
  return type.scalar === 'bool' ? 'int32_t' : scalarNames[type.scalar];
};

/** The prelude's helpers end in it; lanes of indices are int32. With the kind of operand before it: sf32 is a scalar, vf32 a vector. */
const element = ({ scalar }: Type): string => (scalar === 'index' ? 'i32' : scalar);
const suffix = (type: Type): string => `${type.lanes > 1 ? 'v' : 's'}${element(type)}`;

type Printer = (type: Type, args: readonly string[], operand: Type) => string;

const infix =
  (symbol: string): Printer =>
  (_type, [a, b]) =>
    `(${a} ${symbol} ${b})`;
const call =
  (name: string): Printer =>
  (type, args) =>
    `${name}_${suffix(type)}(${args.join(', ')})`;
const fold =
  (name: string): Printer =>
  (type, [a]) =>
    `fold_${name}_${element(type)}(${a})`;
/** Comparisons of vectors give masks as wide as the operands; the IR's masks have 32-bit lanes. */
const compare =
  (symbol: string): Printer =>
  (_type, [a, b], operand) => {
    if (operand.lanes === 1) return `(${a} ${symbol} ${b})`;
    return operand.scalar === 'f32' || operand.scalar === 'i32' || operand.scalar === 'index'
      ? `(${a} ${symbol} ${b})`
      : `__builtin_convertvector(${a} ${symbol} ${b}, i32v)`;
  };
const shift =
  (symbol: string): Printer =>
  (type, [a, b]) =>
    type.lanes > 1 ? `(i32v)((u32v)${a} ${symbol} (u32v)${b})` : `(int32_t)((uint32_t)${a} ${symbol} ${b})`;

/** Ops that are functions of the prelude under their own name; the table has all others. */
type FunctionOp = ElementaryOp | RoundingOp | 'abs' | 'sign' | 'pow' | 'mod' | 'fma';

const printers: Record<Exclude<IrOp, FunctionOp>, Printer> & Partial<Record<FunctionOp, undefined>> = {
  neg: (_t, [a]) => `(-${a})`,
  reciprocal: (_t, [a]) => `(1 / ${a})`,
  isNaN: (type, [a], operand) => compare('!=')(type, [a, a], operand),
  logicalNot: (type, [a]) => (type.lanes > 1 ? `(~${a})` : `(!${a})`),
  cast: (type, [a], operand) => `cast_${suffix(operand)}_${element(type)}(${a})`,
  bitsToUniform: call('uniform'),
  splat: (type, [a]) => `splat_${element(type)}(${a})`,
  foldAdd: fold('add'),
  foldMul: fold('mul'),
  foldMax: fold('max'),
  foldMin: fold('min'),
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: (type, args) => (type.scalar === 'f32' || type.scalar === 'f64' ? `(${args[0]} / ${args[1]})` : call('div')(type, args, type)),
  minimum: call('min'),
  maximum: call('max'),
  equal: compare('=='),
  notEqual: compare('!='),
  less: compare('<'),
  lessEqual: compare('<='),
  greater: compare('>'),
  greaterEqual: compare('>='),
  logicalAnd: infix('&'),
  logicalOr: infix('|'),
  bitXor: infix('^'),
  bitAnd: infix('&'),
  bitOr: infix('|'),
  shiftLeft: shift('<<'),
  shiftRight: shift('>>'),
  quotient: infix('/'),
  remainder: infix('%'),
  select: (type, [m, a, b]) => (type.lanes > 1 ? `sel_${element(type)}(${m}, ${a}, ${b})` : `(${m} ? ${a} : ${b})`),
};

function constant(type: Type, value: number): string {
  if (type.lanes > 1) return `splat_${element(type)}(${constant({ scalar: type.scalar, lanes: 1 }, value)})`;
  switch (type.scalar) {
    case 'f32':
    case 'f64': {
      const f = type.scalar === 'f32';
      if (Number.isNaN(value)) return f ? '__builtin_nanf("")' : '__builtin_nan("")';
      if (!Number.isFinite(value)) return `(${value < 0 ? '-' : ''}${f ? '__builtin_inff()' : '__builtin_inf()'})`;
      const rounded = f ? Math.fround(value) : value;
      const text = Object.is(rounded, -0) ? '-0' : String(rounded);
      const literal = /[.e]/.test(text) ? text : `${text}.0`;
      return `(${literal}${f ? 'f' : ''})`;
    }
    case 'f16':
    case 'bf16':
      return String(encodeArray(type.scalar === 'f16' ? 'float16' : 'bfloat16', [value])[0]);
    case 'bool':
      return value === 0 ? '0' : '1';
    default:
      return value < 0 ? `(${value})` : String(value);
  }
}

/** How many lanes take part. */
const printCount = (count: Expr | undefined, kernel: Kernel): string => (count ? printExpr(count, kernel) : 'LANES');

function printExpr(e: Expr, kernel: Kernel): string {
  switch (e.kind) {
    case 'const':
      return constant(e.type, e.value);
    case 'var':
      return e.name;
    case 'lanes':
      return 'lane_indices';
    case 'op':
      return (printers[e.op] ?? call(e.op))(
        e.type,
        e.args.map((a) => printExpr(a, kernel)),
        e.args[0].type,
      );
    case 'load': {
      const scalar = kernel.parameters[e.buffer].scalar;
      const address = `p${e.buffer} + ${printExpr(e.index, kernel)}`;
      if (e.type.lanes === 1) return scalar === 'bool' ? `(int32_t)*(${address})` : `*(${address})`;
      if (e.stride === 0) return `splat_${scalar}(*(${address}))`;
      if (e.stride !== 1) return `load_strided_${scalar}(${address}, ${e.stride}, ${printCount(e.count, kernel)})`;
      return e.count ? `load_part_${scalar}(${address}, ${printExpr(e.count, kernel)})` : `load_${scalar}(${address})`;
    }
    case 'gather':
      return `gather_${kernel.parameters[e.buffer].scalar}(p${e.buffer}, ${printExpr(e.indices, kernel)})`;
    default:
      return unreachable(e, 'printExpr');
  }
}

function printStatements(body: readonly Stmt[], kernel: Kernel, indent: string, out: string[]): void {
  for (const s of body) {
    switch (s.kind) {
      case 'let':
      case 'declare':
        out.push(`${indent}${s.kind === 'let' ? 'const ' : ''}${typeName(s.value.type)} ${s.name} = ${printExpr(s.value, kernel)};`);
        break;
      case 'assign':
        out.push(`${indent}${s.name} = ${printExpr(s.value, kernel)};`);
        break;
      case 'for':
        if (s.unroll) out.push(`#pragma GCC unroll ${s.unroll}`);
        out.push(`${indent}for (int64_t ${s.name} = ${printExpr(s.from, kernel)}; ${s.name} < ${printExpr(s.to, kernel)}; ${s.name} += ${s.step}) {`);
        printStatements(s.body, kernel, `${indent}  `, out);
        out.push(`${indent}}`);
        break;
      case 'if':
        out.push(`${indent}if (${printExpr(s.condition, kernel)}) {`);
        printStatements(s.body, kernel, `${indent}  `, out);
        if (s.otherwise.length > 0) {
          out.push(`${indent}} else {`);
          printStatements(s.otherwise, kernel, `${indent}  `, out);
        }
        out.push(`${indent}}`);
        break;
      case 'prefetch':
        out.push(`${indent}__builtin_prefetch(p${s.buffer} + ${printExpr(s.index, kernel)}, 0, 2);`);
        break;
      case 'scatter':
        out.push(
          `${indent}scatter_${kernel.parameters[s.buffer].scalar}(p${s.buffer}, ${printExpr(s.indices, kernel)}, ${printExpr(s.value, kernel)}, ${printCount(s.count, kernel)});`,
        );
        break;
      case 'store': {
        const scalar = kernel.parameters[s.buffer].scalar;
        const address = `p${s.buffer} + ${printExpr(s.index, kernel)}`;
        const value = printExpr(s.value, kernel);
        if (s.value.type.lanes === 1) out.push(`${indent}*(${address}) = ${scalar === 'bool' ? `(${value}) != 0` : value};`);
        else if (s.stride !== 1) out.push(`${indent}store_strided_${scalar}(${address}, ${value}, ${s.stride}, ${printCount(s.count, kernel)});`);
        else if (s.count) out.push(`${indent}store_part_${scalar}(${address}, ${value}, ${printExpr(s.count, kernel)});`);
        else out.push(`${indent}store_${scalar}(${address}, ${value});`);
        break;
      }
      default:
        unreachable(s, 'printStatements');
    }
  }
}

/** One C function: void NAME(char *const *arguments, int64_t unitsFrom, int64_t unitsTo). */
export function renderKernel(kernel: Kernel, target: Target, name: string): string {
  if (target.language !== 'c') fail('internal', 'renderKernel', `target speaks ${target.language}, not c`);
  const out = [`/* ${kernel.comment.replaceAll('*/', '* /')} */`, `void ${name}(char *const *arguments, int64_t unitsFrom, int64_t unitsTo) {`];
  kernel.parameters.forEach((p, i) => {
    const type = scalarNames[p.scalar];
    out.push(`  ${p.written ? '' : 'const '}${type} *p${i} = (${p.written ? '' : 'const '}${type} *)arguments[${i}];`);
  });
  printStatements(kernel.body, kernel, '  ', out);
  out.push('}', '');
  return out.join('\n');
}

/** Prints loop IR for people: one line per statement; `b0[i : 16]` is a vector of 16 elements, `b0[i : 16 by 8]` every eighth, `b0[i : n of 16]` the first n. */
import type { Expr, Kernel, Stmt, Type } from './ir.ts';

const infix: Partial<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  less: '<',
  lessEqual: '<=',
  greater: '>',
  greaterEqual: '>=',
  equal: '==',
  notEqual: '!=',
  quotient: 'div',
  remainder: 'mod',
};

interface Access {
  readonly buffer: number;
  readonly index: Expr;
  readonly stride: number;
  readonly count?: Expr;
}

function element({ buffer, index, stride, count }: Access, lanes: number): string {
  const width = lanes === 1 ? '' : ` : ${count ? `${printExpr(count)} of ` : ''}${lanes}${stride === 1 ? '' : ` by ${stride}`}`;
  return `b${buffer}[${printExpr(index)}${width}]`;
}

export function printExpr(e: Expr): string {
  switch (e.kind) {
    case 'const':
      return String(e.value);
    case 'var':
      return e.name;
    case 'lanes':
      return 'lanes';
    case 'load':
      return e.type.lanes > 1 && e.stride === 0 ? `splat(b${e.buffer}[${printExpr(e.index)}])` : element(e, e.type.lanes);
    case 'gather':
      return `b${e.buffer}[each of ${printExpr(e.indices)}]`;
    case 'op': {
      const symbol = infix[e.op];
      const [a, b] = e.args;
      if (e.op === 'select' && e.type.scalar === 'index' && a.kind === 'op' && a.op === 'less') {
        const [limits, choices] = [a.args, e.args.slice(1)].map((list) => list.map(printExpr).join(', '));
        if (limits === choices) return `min(${limits})`;
      }
      return symbol && b ? `(${printExpr(a)} ${symbol} ${printExpr(b)})` : `${e.op}(${e.args.map(printExpr).join(', ')})`;
    }
  }
}

const printType = ({ scalar, lanes }: Type): string => (lanes > 1 ? `${scalar}x${lanes}` : scalar);

function printStatements(body: readonly Stmt[], indent: string, out: string[]): void {
  for (const s of body) {
    switch (s.kind) {
      case 'let':
        out.push(`${indent}let ${s.name}: ${printType(s.value.type)} = ${printExpr(s.value)}`);
        break;
      case 'declare': {
        // The accumulators of a tile, all starting alike, take one line.
        const start = `: ${printType(s.value.type)} = ${printExpr(s.value)}`;
        const last = out[out.length - 1] ?? '';
        if (last.startsWith(`${indent}var `) && last.endsWith(start)) out[out.length - 1] = `${last.slice(0, -start.length)}, ${s.name}${start}`;
        else out.push(`${indent}var ${s.name}${start}`);
        break;
      }
      case 'assign':
        out.push(`${indent}${s.name} = ${printExpr(s.value)}`);
        break;
      case 'prefetch':
        out.push(`${indent}prefetch ${element({ ...s, stride: 1 }, 1)}`);
        break;
      case 'scatter':
        out.push(`${indent}b${s.buffer}[each of ${printExpr(s.indices)}] = ${printExpr(s.value)}`);
        break;
      case 'store':
        out.push(`${indent}${element(s, s.value.type.lanes)} = ${printExpr(s.value)}`);
        break;
      case 'for':
        out.push(
          `${indent}for ${s.name} from ${printExpr(s.from)} to ${printExpr(s.to)}${s.step === 1 ? '' : ` by ${s.step}`}${s.unroll ? ` unrolled ${s.unroll}` : ''}`,
        );
        printStatements(s.body, `${indent}  `, out);
        break;
      case 'if':
        out.push(`${indent}if ${printExpr(s.condition)}`);
        printStatements(s.body, `${indent}  `, out);
        if (s.otherwise.length > 0) {
          out.push(`${indent}else`);
          printStatements(s.otherwise, `${indent}  `, out);
        }
    }
  }
}

/** `number`: its place in the program, by which profiles and the C source call it. */
export function printKernel(kernel: Kernel, number: number): string {
  const out = [`kernel k${number}: ${kernel.comment}`, ...kernel.parameters.map((p, i) => `  b${i}: ${p.scalar}${p.written ? ' (written)' : ''}`)];
  printStatements(kernel.body, '  ', out);
  return out.join('\n');
}

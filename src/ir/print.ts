/** Prints loop IR for people: one line per statement, `a[i : 16]` for a vector of 16 elements. */
import type { Expr, Kernel, Stmt } from './ir.ts';

const infix: Partial<Record<string, string>> = { add: '+', sub: '-', mul: '*', div: '/', less: '<', lessEqual: '<=', greater: '>', greaterEqual: '>=', equal: '==', notEqual: '!=', quotient: 'div', remainder: 'mod' };

export function printExpr(e: Expr): string {
  switch (e.kind) {
    case 'const':
      return String(e.value);
    case 'var':
      return e.name;
    case 'lanes':
      return 'lanes';
    case 'load': {
      const width = e.type.lanes === 1 ? '' : ` : ${e.count ? `${printExpr(e.count)} of ` : ''}${e.type.lanes}${e.stride === 1 ? '' : ` by ${e.stride}`}`;
      return `b${e.buffer}[${printExpr(e.index)}${width}]`;
    }
    case 'gather':
      return `b${e.buffer}[each of ${printExpr(e.indices)}]`;
    case 'op': {
      const symbol = infix[e.op];
      const [a, b] = e.args;
      return symbol && b ? `(${printExpr(a)} ${symbol} ${printExpr(b)})` : `${e.op}(${e.args.map(printExpr).join(', ')})`;
    }
  }
}

function printStatements(body: readonly Stmt[], indent: string, out: string[]): void {
  for (const s of body) {
    switch (s.kind) {
      case 'let':
      case 'declare':
        out.push(`${indent}${s.kind === 'let' ? 'let' : 'var'} ${s.name}: ${s.value.type.scalar}${s.value.type.lanes > 1 ? `x${s.value.type.lanes}` : ''} = ${printExpr(s.value)}`);
        break;
      case 'assign':
        out.push(`${indent}${s.name} = ${printExpr(s.value)}`);
        break;
      case 'scatter':
        out.push(`${indent}b${s.buffer}[each of ${printExpr(s.indices)}] = ${printExpr(s.value)}`);
        break;
      case 'store':
        out.push(`${indent}b${s.buffer}[${printExpr(s.index)}${s.value.type.lanes > 1 ? ` : ${s.count ? `${printExpr(s.count)} of ` : ''}${s.value.type.lanes}` : ''}] = ${printExpr(s.value)}`);
        break;
      case 'for':
        out.push(`${indent}for ${s.name} from ${printExpr(s.from)} to ${printExpr(s.to)}${s.step === 1 ? '' : ` by ${s.step}`}${s.unroll ? ` unrolled ${s.unroll}` : ''}`);
        printStatements(s.body, `${indent}  `, out);
        break;
      case 'if':
        out.push(`${indent}if ${printExpr(s.condition)}`);
        printStatements(s.then, `${indent}  `, out);
        if (s.otherwise.length > 0) {
          out.push(`${indent}else`);
          printStatements(s.otherwise, `${indent}  `, out);
        }
    }
  }
}

export function printKernel(kernel: Kernel): string {
  const out = [`kernel ${kernel.comment}`, ...kernel.parameters.map((p, i) => `  b${i}: ${p.scalar}${p.written ? ' (written)' : ''}`)];
  printStatements(kernel.body, '  ', out);
  return out.join('\n');
}

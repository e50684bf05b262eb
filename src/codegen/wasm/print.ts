/** Functions in the text format of WebAssembly, one instruction a line, indented by their blocks. For people: it is not parsed again. */
import type { FunctionText } from './function.ts';
import type { Code, Instruction } from './instructions.ts';

export const printFunctions = (functions: readonly FunctionText[]): string => functions.map(printFunction).join('\n');

function printFunction({ name, parameters, result, locals, body }: FunctionText): string {
  const out = [`(func $${name}${parameters.length > 0 ? ` (param ${parameters.join(' ')})` : ''}${result ? ` (result ${result})` : ''}`];
  if (locals.length > 0) out.push(`  (local ${locals.join(' ')})`);
  let depth = 1;
  const print = (code: Code): void => {
    if (Array.isArray(code)) {
      for (const part of code) print(part);
      return;
    }
    const instruction = code as Instruction;
    if (instruction.op === 'end' || instruction.op === 'else') depth--;
    out.push(`${'  '.repeat(depth)}${textOf(instruction)}`);
    if (instruction.op === 'loop' || instruction.op === 'if' || instruction.op === 'else') depth++;
  };
  print(body);
  return `${out.join('\n')})`;
}

function textOf(instruction: Instruction): string {
  const { op } = instruction;
  if (op === 'loop' || op === 'if') return op;
  const offset = 'offset' in instruction && instruction.offset > 0 ? ` offset=${instruction.offset}` : '';
  const lane = 'lane' in instruction ? ` ${instruction.lane}` : '';
  if ('number' in instruction) return `${op} ${instruction.number}`;
  if ('value' in instruction) return `${op} ${instruction.value}`;
  if ('target' in instruction) return `${op} $${instruction.target}`;
  if ('bytes' in instruction)
    return `${op} ${op === 'v128.const' ? `i32x4 ${new Int32Array(Uint8Array.from(instruction.bytes).buffer).join(' ')}` : instruction.bytes.join(' ')}`;
  return `${op}${offset}${lane}`;
}

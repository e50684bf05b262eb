/**
 * Argument 1 names a workload. Time of compiling its program (from the call that records it to the loaded program), and from there to the end of its first call.
 */
import { known } from '../workloads.mjs';

const call = await known[process.argv[2]].build();
const start = performance.now();
call.program.explain();
const compiled = performance.now();
await call();
const round = (value) => Number(value.toFixed(1));
console.log(JSON.stringify({ compile_ms: round(compiled - start), first_call_ms: round(performance.now() - compiled) }));
process.exit(0);

/**
 * What one call of a workload consists of: argument 1 names the workload, argument 2 says how many calls. Prints the calls' median time, and for every launch of
 * the program its work, its median time (of the slowest thread) and whether it updates a variable in place.
 */
import { workloads } from '../workloads.mjs';

const [name, rounds] = [process.argv[2], Number(process.argv[3])];
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

const call = await workloads[name].build();
const { explain, profile } = call.program;
for (let i = 0; i < 3; i++) await call();
// In turns, so that both see the same machine.
const walls = [];
const profiles = [];
for (let i = 0; i < rounds; i++) {
  const start = performance.now();
  await call();
  walls.push((performance.now() - start) / 1e3);
  profiles.push(profile());
}

/** The launches in the order of the profile, and how many barriers a run passes. */
function walk(steps, times, launches) {
  let barriers = 0;
  for (const step of steps) {
    if (step.kind === 'launch') launches.push(step);
    else if (step.kind === 'sweep') launches.push(...step.launches);
    else if (step.kind === 'barrier') barriers += times;
    else barriers += walk(step.body, times * step.count, launches);
  }
  return barriers;
}

const program = explain();
const launches = [];
const barriers = walk(program.steps, 1, launches);
const size = ({ shape }) => shape.reduce((product, extent) => product * extent, 4);
/** Outputs that a training step has besides its loss are new values of variables. */
const updates = program.outputs.length > 1 && program.outputs.some(({ shape }) => shape.length === 0);
const rows = profiles[0].map((row, i) => ({
  name: row.name,
  comment: row.comment,
  calls: row.calls,
  flops: row.flops,
  bytes: row.bytes,
  seconds: median(profiles.map((times) => times[i].seconds)),
  updates: updates && launches[row.launch].arguments.some(({ kind, index }) => kind === 'output' && program.outputs[index].shape.length > 0),
}));
const held = program.arenaBytes + [...program.inputs, ...program.outputs].reduce((sum, value) => sum + size(value), 0);
console.log(JSON.stringify({ seconds: median(walls), barriers, held, launches: rows }));
process.exit(0);

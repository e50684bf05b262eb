/** gradix as a competitor: times named workloads on request, with the protocol of peers/torch_peer.py. */
import { createInterface } from 'node:readline';
import { workloads } from './workloads.mjs';

const held = { name: undefined, call: undefined };

async function answer({ workload, warmup, calls }) {
  if (held.name !== workload) {
    held.call = undefined;
    held.call = await workloads[workload].build();
    held.name = workload;
  }
  const { call } = held;
  for (let i = 0; i < warmup; i++) await call();
  const times = [];
  for (let i = 0; i < calls; i++) {
    const start = performance.now();
    await call();
    times.push((performance.now() - start) / 1e3);
  }
  return { times };
}

const reply = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

reply({ ready: 'gradix' });
for await (const line of createInterface({ input: process.stdin })) {
  reply(await answer(JSON.parse(line)).catch((error) => ({ error: `${error.name}: ${error.message}` })));
}

/**
 * What a competitor written in JavaScript does all day: one JSON request per line in, {"workload": NAME, "warmup": N, "calls": N, "limit_s": SECONDS}, one
 * answer per line out, {"times": [seconds, …]} or {"error": TEXT}. With a limit, a slow competitor makes fewer calls, but at least one.
 */
import { createInterface } from 'node:readline';

const now = () => performance.now() / 1e3;

/** Answers requests for ever. `builds` has, by name, functions that prepare a workload and give the call that is timed. */
export async function answerRequests(facts, builds) {
  const held = { name: undefined, call: undefined };

  async function answer({ workload, warmup, calls, limit_s = Number.POSITIVE_INFINITY }) {
    if (!(workload in builds)) throw new Error(`has no workload ${workload}`);
    if (held.name !== workload) {
      held.call = undefined; // the previous workload's memory goes first
      held.call = await builds[workload]();
      held.name = workload;
    }
    const begin = now();
    for (let i = 0; i < warmup && (i === 0 || now() - begin < limit_s / 3); i++) await held.call();
    const times = [];
    for (let i = 0; i < calls && (i === 0 || now() - begin < limit_s); i++) {
      const start = now();
      const result = held.call();
      if (result instanceof Promise) await result;
      times.push(now() - start);
    }
    return { times };
  }

  const reply = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  reply(facts);
  for await (const line of createInterface({ input: process.stdin })) {
    reply(await answer(JSON.parse(line)).catch((error) => ({ error: `${error.name}: ${error.message}` })));
  }
}

/** gradix as a competitor: times named workloads on request, with the protocol of peers/torch_peer.py. */
import { multiplyAddFlops, multiplyAddPeak } from './multiply-add.mjs';
import { answerRequests } from './protocol.mjs';
import { known } from './workloads.mjs';

const builds = Object.fromEntries(Object.entries(known).map(([name, { build }]) => [name, build]));
await answerRequests({ ready: 'gradix', multiplyAddFlops }, { ...builds, 'multiply-add': multiplyAddPeak });

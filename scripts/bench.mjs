/** npm run bench: set-up, then bench/main.mjs with the given arguments. */
import { runNode, setup } from './setup.mjs';

setup();
process.exit(runNode('bench/main.mjs', process.argv.slice(2)));

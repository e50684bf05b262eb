/** npm start: trains the digit net on generated digits (or on MNIST when it is found), on a fresh clone too. Arguments go to `gradix train lenet`. */
import { runNode, setup } from './setup.mjs';

setup();
process.on('SIGINT', () => {}); // the training process saves a checkpoint and ends with 130
process.exit(runNode('dist/cli/main.js', ['train', 'lenet', ...process.argv.slice(2)]));

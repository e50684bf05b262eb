/** npm run build: dist/ from src/, ES modules and declarations. */
import { setup } from './setup.mjs';

setup({ forceBuild: true });

import { fileURLToPath } from 'node:url';

/** The root of the repository, as seen from `tools/dist`. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

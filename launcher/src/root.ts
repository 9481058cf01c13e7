import { fileURLToPath } from 'node:url';

/** The root of the project: where `make` is called. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

import { createRequire } from 'node:module';

// By `require`: an import of CommonJS reads each of its 46 files a second time, for the names that they export.
const ioredis: typeof import('ioredis') = createRequire(import.meta.url)('ioredis');

export const { Redis } = ioredis;
export type Redis = InstanceType<typeof Redis>;

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { freePort } from '@sluice/testbed';
import { outputOf, startForeignProgram } from './foreign-program.js';
import type { FoundPeer } from './found-peer.js';
import { peerWithRedis } from './peer-with-redis.js';
import { STREAM } from './stream-queue.js';

const APP = fileURLToPath(new URL('./apps/bun.js', import.meta.url));
/** The package `bun` fetches its program when it is installed, which we do not allow; these ship it. */
const PACKAGE = `@oven/bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}`;

/** Bun.serve and Bun's own Redis client, which pipelines by itself. */
export async function findBun(persistent: boolean): Promise<FoundPeer> {
  const name = 'Bun';
  for (const command of ['bun', fromPackage()]) {
    const version = command === undefined ? undefined : await outputOf(command, '--version');
    if (command === undefined || version === undefined) continue;
    const startProgram = async (redisUrl: string) => {
      const port = await freePort();
      return startForeignProgram({ name, command, args: [APP, redisUrl, STREAM, String(port)], port });
    };
    return { peer: peerWithRedis({ name, madeOf: `bun ${version}`, persistent, startProgram }) };
  }
  return { missing: `${name}: not installed; npm install --no-save ${PACKAGE}` };
}

function fromPackage(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(`${PACKAGE}/bin/bun`);
  } catch {
    return undefined;
  }
}

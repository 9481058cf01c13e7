import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@sluice/testbed';
import { outputOf, startForeignProgram } from './foreign-program.js';
import type { FoundPeer } from './found-peer.js';
import { type IntakeProgram, peerWithRedis } from './peer-with-redis.js';
import { STREAM } from './stream-queue.js';

const NAME = 'webdis';
/** As many as Debian configures. */
const THREADS = 2;

/**
 * webdis, a C program that makes Redis commands of HTTP requests. It validates nothing, gives tasks no id, and answers
 * 200: what it stores is counted like everybody's.
 */
export async function findWebdis(persistent: boolean): Promise<FoundPeer> {
  // It takes every argument for the name of its configuration, and starts.
  if ((await outputOf('which', NAME)) === undefined)
    return { missing: `${NAME}: not installed; apt-get install webdis` };
  return { peer: peerWithRedis({ name: NAME, persistent, startProgram: startWebdis }) };
}

async function startWebdis(redisUrl: string): Promise<IntakeProgram> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-webdis-'));
  const configuration = join(folder, 'webdis.json');
  const { hostname: redis_host, port: redisPort } = new URL(redisUrl);
  const where = { redis_host, redis_port: Number(redisPort), http_host: '127.0.0.1', http_port: port };
  const how = { threads: THREADS, daemonize: false, verbosity: 0, logfile: join(folder, 'webdis.log') };
  try {
    await writeFile(configuration, JSON.stringify({ ...where, ...how }));
    const path = `/XADD/${STREAM}/*/payload`;
    const program = await startForeignProgram({
      ...{ name: NAME, command: NAME, args: [configuration], port, path },
    });
    return {
      ...program,
      // The body of a PUT is the last argument of the command; that of a POST would be all of it.
      exchange: { method: 'PUT', status: 200 },
      async stop() {
        await program.stop();
        await rm(folder, { recursive: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
}

import { fileURLToPath } from 'node:url';
import { freePort } from '@sluice/testbed';
import { outputOf, startForeignProgram } from './foreign-program.js';
import type { FoundPeer } from './found-peer.js';
import { peerWithRedis } from './peer-with-redis.js';
import { STREAM } from './stream-queue.js';

const APP = fileURLToPath(new URL('../../src/peers/apps/tasks.py', import.meta.url));
/** A python3 of the user's own may come first on the PATH, without the packages of the system. */
const PYTHONS = ['python3', '/usr/bin/python3'];

interface Framework {
  name: string;
  /** Function of tasks.py. */
  app: string;
  modules: readonly string[];
  debian: string;
}

const STARLETTE: Framework = {
  name: 'Starlette + Uvicorn',
  app: 'starlette',
  modules: ['starlette', 'uvicorn', 'redis'],
  debian: 'python3-starlette python3-uvicorn python3-redis',
};
const FASTAPI: Framework = {
  name: 'FastAPI + Uvicorn',
  app: 'fastapi',
  modules: ['fastapi', 'uvicorn', 'redis'],
  debian: 'python3-fastapi python3-uvicorn python3-redis',
};

export function findStarlette(persistent: boolean): Promise<FoundPeer> {
  return find(STARLETTE, persistent);
}

export function findFastapi(persistent: boolean): Promise<FoundPeer> {
  return find(FASTAPI, persistent);
}

async function find({ name, app, modules, debian }: Framework, persistent: boolean): Promise<FoundPeer> {
  for (const command of PYTHONS) {
    const madeOf = await versionsOf(command, modules);
    if (madeOf === undefined) continue;
    const startProgram = async (redisUrl: string) => {
      const port = await freePort();
      const args = [APP, app, redisUrl, STREAM, String(port)];
      return startForeignProgram({ name, command, args, port });
    };
    return { peer: peerWithRedis({ name, madeOf, persistent, startProgram }) };
  }
  return { missing: `${name}: not installed; apt-get install ${debian}` };
}

/** Undefined when one of them is not there. redis.asyncio is what is used of redis; it came with 4.2. */
function versionsOf(python: string, modules: readonly string[]): Promise<string | undefined> {
  const versions = modules.map((module) => `"${module} " + ${module}.__version__`).join(', ');
  return outputOf(python, '-c', `import redis.asyncio, ${modules.join(', ')}; print(${versions}, sep=", ")`);
}

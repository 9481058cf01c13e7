import type { Redis } from 'ioredis';
import type { RedisFacts } from './facts.js';

const PINGS = 200;

/** Settings that INFO does not show. */
const SETTINGS = ['appendfsync', 'save', 'min-replicas-to-write', 'tcp-backlog', 'timeout'];

/** Asks a server about itself; what it does not allow is left out. */
export async function gatherRedisFacts(redis: Redis): Promise<RedisFacts> {
  return {
    info: readInfo(await redis.info()),
    config: await readConfig(redis),
    features: await readFeatures(redis),
    pings: await measurePings(redis),
    ...(await measureClock(redis)),
  };
}

function readInfo(text: string): Map<string, string> {
  const info = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) info.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return info;
}

async function readConfig(redis: Redis): Promise<Map<string, string> | undefined> {
  const config = new Map<string, string>();
  try {
    for (const name of SETTINGS) {
      const [, value] = (await redis.config('GET', name)) as string[]; // name, value
      if (value !== undefined) config.set(name, value);
    }
    return config;
  } catch {
    return undefined;
  }
}

async function readFeatures(redis: Redis): Promise<string[]> {
  const features: string[] = [];
  try {
    const [waitaof, xackdel] = (await redis.call('COMMAND', 'INFO', 'WAITAOF', 'XACKDEL')) as unknown[];
    if (Array.isArray(waitaof)) features.push('WAITAOF');
    if (Array.isArray(xackdel)) features.push('XACKDEL');
    const docs = JSON.stringify(await redis.call('COMMAND', 'DOCS', 'XREADGROUP', 'XADD')).toUpperCase();
    if (docs.includes('"CLAIM"')) features.push('XREADGROUP CLAIM');
    if (docs.includes('"IDMP"')) features.push('XADD IDMP');
  } catch {
    // Not allowed to ask: nothing depends on the answer.
  }
  return features;
}

async function measurePings(redis: Redis): Promise<number[]> {
  const pings: number[] = [];
  for (let i = 0; i < PINGS; i++) {
    const begun = performance.now();
    await redis.ping();
    pings.push(performance.now() - begun);
  }
  return pings.sort((a, b) => a - b);
}

async function measureClock(redis: Redis): Promise<{ clockAheadMs: number; clockPrecisionMs: number }> {
  const before = Date.now();
  const [seconds, microseconds] = await redis.time();
  const after = Date.now();
  const redisMs = Number(seconds) * 1000 + Number(microseconds) / 1000;
  // Redis read its clock at some time between the two.
  return { clockAheadMs: (before + after) / 2 - redisMs, clockPrecisionMs: (after - before) / 2 + 1 };
}

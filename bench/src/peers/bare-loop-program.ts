// XREADGROUP COUNT 100, one XACK for all of it, again: what one writes first. No retries, no take-over, no limits.
import { Redis } from 'ioredis';
import { RunTally } from './run-tally.js';

interface Setup {
  redisUrl: string;
  stream: string;
  group: string;
  numbered: number;
}

const { redisUrl, stream, group, numbered } = JSON.parse(process.argv[2] ?? '') as Setup; // bare-loop.ts
const COUNT = 100;
const BLOCK_MS = 1000;

const tally = RunTally.create(numbered);
tally.answerQuestions();
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(1));

// RESP2, as Sluice's own connections: with RESP3 the reply is a map.
const redis = new Redis(redisUrl, { protocol: 2 });
await redis.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
process.send?.({ type: 'ready' });

for (;;) {
  const reply = (await redis.xreadgroup(
    ...(['GROUP', group, 'bare', 'COUNT', COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', stream, '>'] as const),
  )) as [stream: string, entries: [id: string, fields: string[]][]][] | null; // as Redis documents it
  if (reply === null) continue;
  const [[, entries]] = reply as [[string, [string, string[]][]]]; // one stream was asked for
  for (const [, fields] of entries) tally.run(numbered === 0 ? undefined : dataOf(fields));
  await redis.xack(stream, group, ...entries.map(([id]) => id));
}

function dataOf(fields: readonly string[]): unknown {
  return JSON.parse(fields[fields.indexOf('payload') + 1] ?? '').data;
}

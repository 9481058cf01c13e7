import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '@sluice/testbed';
import { taskIdOf } from '../append-tasks.js';
import { type Arena, GROUP } from '../arena.js';
import { outageOf } from '../downstream.js';
import { withJournal } from '../journal-url.js';
import { monotonicMs } from '../monotonic.js';
import { atMost, exactly, type Scenario, stated, within } from '../scenario.js';

const PROCESSES = 2;
const TASK_MS = 5;
const DOWNSTREAM = new URL('../handlers/downstream.js', import.meta.url);
/** Of those that wait, so many are on their last attempt: they have failed before, by themselves. */
const LAST_ATTEMPTS = 50;
const MAX_ATTEMPTS = 3;
/**
 * What may be started until the breaker opens and all know, and as probes. That is some hundred at most, however many
 * there are and however slow the machine is: so there are many.
 */
const FEW_RUNS = 0.2;
const OPENS_WITHIN_MS = 60_000;

/**
 * What tasks depend on is down when they are appended, comes back after a while, and nobody does anything about it. Some
 * of the tasks were on their last attempt when it went away.
 */
export const downstreamDead: Scenario = {
  name: 'downstream-dead',
  promise:
    'when what tasks depend on is down, they wait: none dies of it or loses an attempt, and all get done when it is back',
  controls: { 'no-excuse': 'failures count, whatever the breaker says' },
  async run(arena) {
    const tasks = arena.size(3000, 10_000);
    const downMs = arena.size(5_000, 60_000);
    const outage = outageOf(arena.journal.path);
    writeFileSync(outage, '');
    await arena.append(Array.from({ length: tasks }, (_, n) => ({ n, ms: TASK_MS })));
    await failBefore(arena);
    const consumers = await Promise.all(
      Array.from({ length: PROCESSES }, () =>
        arena.consumer(
          {
            threads: 1,
            maxConcurrentTasks: 20,
            maxAttempts: MAX_ATTEMPTS,
            backoffBaseSeconds: 0.2,
            breaker: true,
            breakerOpenSeconds: arena.size(0.5, 5),
            breakerOpenMaxSeconds: arena.size(2, 30),
          },
          {},
          withJournal(DOWNSTREAM, arena.journal.path),
        ),
      ),
    );
    // What failed before is charged until then, and given back.
    const breaker = arena.keys.breaker(arena.stream, GROUP);
    await waitFor(async () => Number(await arena.redis.hget(breaker, 'round')) > 0, {
      timeoutMs: OPENS_WITHIN_MS,
      what: 'the breaker to open',
    });
    await pause(downMs);
    const burned = await failedAttempts(arena);
    const runs = arena.journal.read().starts;
    rmSync(outage);
    const backAt = monotonicMs();
    await arena.settled(arena.size(15_000, 90_000));
    const drainedAfter = (monotonicMs() - backAt) / 1000;
    const output = consumers.map((process) => process.output()).join('\n');
    const times = (type: string) => output.split(`"type":"${type}"`).length - 1;
    return [
      exactly('dead letters', (await arena.deadLetters()).length, 0),
      exactly(
        'attempts burned, those before the outage aside',
        burned - LAST_ATTEMPTS * (MAX_ATTEMPTS - 1),
        0,
      ),
      exactly('done', done(arena, tasks), tasks),
      exactly('unaccounted by the ledger', await arena.unaccounted(), 0),
      atMost('runs while it was down', runs, tasks * FEW_RUNS),
      stated('breaker opened, closed', `${times('breaker-opened')}, ${times('breaker-closed')} times`),
      within('drained after', drainedAfter, arena.size(15, 90), 's'),
    ];
  },
};

/** Has tasks a history: they have failed, and may do so once more. */
async function failBefore(arena: Arena): Promise<void> {
  const group = GROUP;
  await arena.redis.xgroup('CREATE', arena.stream, group, '0');
  const read = ['GROUP', group, 'before', 'COUNT', LAST_ATTEMPTS, 'STREAMS', arena.stream, '>'] as const;
  const reply = await arena.redis.xreadgroup(...read);
  const entries = reply?.[0]?.[1] ?? [];
  for (const [id] of entries) {
    // As park.lua leaves them after the last attempt but one.
    await arena.redis.xclaim(arena.stream, group, '~parked', 0, id, 'RETRYCOUNT', MAX_ATTEMPTS - 1, 'JUSTID');
    await arena.redis.hset(arena.keys.attempts(arena.stream, group), id, `${MAX_ATTEMPTS - 1}:1:0`);
    await arena.redis.zadd(arena.keys.retries(arena.stream, group), 0, id);
  }
}

async function failedAttempts(arena: Arena): Promise<number> {
  const histories = await arena.redis.hgetall(arena.keys.attempts(arena.stream, GROUP));
  const entries = Object.entries(histories).filter(([id]) => /^\d+-\d+$/.test(id));
  return entries.reduce((sum, [, text]) => sum + Number(text.split(':')[0]), 0);
}

function done(arena: Arena, tasks: number): number {
  const { ended } = arena.journal.read();
  return Array.from({ length: tasks }, (_, n) => taskIdOf(n)).filter((id) => ended.has(id)).length;
}

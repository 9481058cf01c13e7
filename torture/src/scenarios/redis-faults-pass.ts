import { setTimeout as pause } from 'node:timers/promises';
import { FAULTY_REDIS, REDIS_FAULTS, type RedisFault, waitFor } from '@sluice/testbed';
import { accountFor } from '../account.js';
import type { Arena } from '../arena.js';
import { IntakeLoad } from '../intake-load.js';
import { monotonicMs } from '../monotonic.js';
import { exactly, type Finding, type Scenario, within } from '../scenario.js';

const PER_SECOND = 100;
const RECOVERS_WITHIN_S = 5;
/** How long recovery is waited for, to be able to say how long it took. */
const GIVE_UP_S = 20;

/** Redis refuses, forgets and starts over while everything runs, in one way after the other. */
export const redisFaultsPass: Scenario = {
  name: 'redis-faults-pass',
  promise:
    'whatever Redis answers, no process ends, nothing is acknowledged falsely, and all works again within 5 s',
  controls: { received: '202 before Redis has confirmed the append (ACK_MODE=received)' },
  redis: FAULTY_REDIS,
  run: (arena) => withstand(arena, REDIS_FAULTS),
};

/** Applies one fault after the other to a system at work. */
export async function withstand(arena: Arena, faults: readonly RedisFault[]): Promise<Finding[]> {
  const engine = await arena.engine();
  const consumer = await arena.consumer({ threads: 2, leaseSeconds: 5 });
  let consumersEnded = 0;
  void consumer.exited.then(() => {
    consumersEnded = 1;
  });
  const load = new IntakeLoad(engine.url, PER_SECOND, () => ({ ms: 10 }));
  arena.afterwards(() => load.stop());
  const findings: Finding[] = [];
  let forgottenUntil = 0;
  let withoutEffect = 0;
  for (const fault of faults) {
    await waitForWork(arena, load, monotonicMs(), GIVE_UP_S);
    await fault.begin(arena);
    const begunAt = monotonicMs();
    await pause(arena.size(500, 5000)); // the fault itself
    await fault.end(arena);
    const endedAt = monotonicMs();
    const refused = load.answers.filter(({ outcome, sentAt }) => outcome !== 202 && sentAt >= begunAt).length;
    if (fault.harmless === undefined && refused === 0) withoutEffect += 1;
    if (fault.forgets) forgottenUntil = endedAt;
    const tookMs = await waitForWork(arena, load, endedAt, GIVE_UP_S);
    findings.push(within(`works again after ${fault.name}`, tookMs / 1000, RECOVERS_WITHIN_S, 's'));
    arena.progress(`${fault.name}: works again after ${Math.round(tookMs)} ms`);
  }
  await load.stop();
  await arena.settled(10_000);

  const threadsReplaced = consumer.output().split('thread-replaced').length - 1;
  const counting = load.accepted.filter(({ sentAt }) => sentAt > forgottenUntil);
  const account = await accountFor(
    arena,
    counting.map(({ taskId }) => taskId ?? ''),
  );
  return [
    ...findings,
    // With ACK_MODE=received nothing is refused, which is the point of that control.
    exactly('faults that made the intake refuse nothing', arena.broken === undefined ? withoutEffect : 0, 0),
    exactly('processes or threads that ended', engine.deaths() + consumersEnded + threadsReplaced, 0),
    exactly(`answered 202 without being done, of ${counting.length}`, account.lost.length + account.dead, 0),
    exactly('acknowledged without being done', await arena.unaccounted(), 0),
    exactly('requests that hung', load.answers.filter(({ outcome }) => outcome === 'hung').length, 0),
  ];
}

/** Waits until a task sent after this moment is done; returns how long after it. */
async function waitForWork(arena: Arena, load: IntakeLoad, since: number, limitS: number): Promise<number> {
  let from = load.accepted.length;
  const candidates = new Set<string>();
  const isDone = (): boolean => {
    arena.journal.read();
    for (; from < load.accepted.length; from++) {
      const answer = load.accepted[from];
      if (answer?.taskId !== undefined && answer.sentAt >= since) candidates.add(answer.taskId);
    }
    return [...candidates].some((taskId) => arena.journal.ended.has(taskId));
  };
  const inTime = await waitFor(isDone, { timeoutMs: limitS * 1000, what: 'a new task to be done' }).then(
    () => true,
    () => false,
  );
  return inTime ? monotonicMs() - since : Number.POSITIVE_INFINITY;
}

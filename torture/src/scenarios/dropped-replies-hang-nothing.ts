import { setTimeout as pause } from 'node:timers/promises';
import { startTcpProxy, type TcpProxy } from '@sluice/testbed';
import { accountFor, recognisable } from '../account.js';
import type { Arena } from '../arena.js';
import { IntakeLoad } from '../intake-load.js';
import { exactly, type Scenario, stated, within } from '../scenario.js';

/** Longer than this process, which passes on the replies, is kept from it on a busy machine. */
const APPEND_TIMEOUT_S = 1;
/** What answering may take on top of it, on a busy machine. */
const GRACE_S = 1;
/** Every so often the replies stay away for longer than any request may wait for one. */
const LONG_EVERY = 5;
const LONG_MS = 2500;

/** What Redis answers gets lost on the way, to the engine and to a consumer, and then the connections break. */
export const droppedRepliesHangNothing: Scenario = {
  name: 'dropped-replies-hang-nothing',
  promise: 'when replies of Redis get lost, every request is answered in time and no task is appended twice',
  controls: { 'no-append-timeout': 'the engine waits a minute for Redis to confirm (APPEND_TIMEOUT=60)' },
  async run(arena) {
    const rounds = arena.size(5, 100);
    const proxies = [await proxyFor(arena), await proxyFor(arena)] as const;
    const [toEngine, toConsumer] = proxies.map(({ port }) => `redis://127.0.0.1:${port}`);
    const timeout = arena.broken === 'no-append-timeout' ? 60 : APPEND_TIMEOUT_S;
    const { url } = await arena.engine({ REDIS_URL: toEngine ?? '', APPEND_TIMEOUT: String(timeout) });
    await arena.consumer({ redisUrl: toConsumer ?? '', threads: 1, leaseSeconds: 5 });
    const load = new IntakeLoad(url, arena.size(50, 200), () => ({ ms: 5 }));
    arena.afterwards(() => load.stop());
    for (let round = 1; round <= rounds; round++) {
      const before = load.accepted.length;
      await arena.until(() => load.accepted.length >= before + 20, 'tasks to be accepted');
      for (const proxy of proxies) proxy.dropReplies(true);
      await pause(round % LONG_EVERY === 0 ? LONG_MS : 10 + Math.random() * 200);
      for (const proxy of proxies) {
        proxy.cut();
        proxy.dropReplies(false);
      }
      if (round % 20 === 0) arena.progress(`round ${round} of ${rounds}, accepted ${load.accepted.length}`);
    }
    await load.stop();
    await arena.settled(10_000);

    const account = await accountFor(
      arena,
      load.accepted.map(({ taskId }) => taskId ?? ''),
    );
    const slowest = Math.max(...load.answers.map(({ tookMs }) => tookMs)) / 1000;
    return [
      exactly('times the replies were dropped', rounds, arena.size(5, 100)),
      exactly('requests that hung', load.answers.filter(({ outcome }) => outcome === 'hung').length, 0),
      within('slowest answer', slowest, APPEND_TIMEOUT_S + GRACE_S, 's'),
      exactly(`lost of ${load.accepted.length} answered 202`, account.lost.length, 0),
      exactly('requests that became several tasks', severalIds(arena), 0),
      stated('runs again', String(account.duplicates)),
      ...recognisable(account),
    ];
  },
};

async function proxyFor(arena: Arena): Promise<TcpProxy> {
  const proxy = await startTcpProxy(arena.server.port);
  arena.afterwards(() => proxy.close());
  return proxy;
}

/** Requests whose number was seen under more than one task id: duplicates that nobody could tell. */
function severalIds(arena: Arena): number {
  const idsOf = new Map<number, Set<string>>();
  for (const [taskId, runs] of arena.journal.read().runs) {
    for (const { n } of runs) idsOf.set(n, (idsOf.get(n) ?? new Set()).add(taskId));
  }
  return [...idsOf.values()].filter((ids) => ids.size > 1).length;
}

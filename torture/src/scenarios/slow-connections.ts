import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startProcess } from '@sluice/testbed';
import { type Answer, IntakeLoad, outcomesOf } from '../intake-load.js';
import { percentile } from '../percentile.js';
import { childrenOf, sampleOf } from '../process-figures.js';
import { atLeast, atMost, exactly, noneUnlessStill, type Scenario, stated, within } from '../scenario.js';

const PER_SECOND = 100;
const SLOW_CLIENTS = fileURLToPath(new URL('../abuse/slow-clients-process.js', import.meta.url));

/** Connections that send a byte now and then, or do not read, while somebody sends tasks. */
export const slowConnections: Scenario = {
  name: 'slow-connections',
  promise: 'thousands of slow connections, in head, body or reading, do not keep others from being served',
  controls: { 'lax-server': 'a server serves a hundred connections at once' },
  async run(arena) {
    const engine = await arena.engine({ STREAM_MAXLEN: '1000000' });
    const { port } = new URL(engine.url);
    const seconds = arena.size(2, 15);
    const before = await measure(engine.url, seconds);
    const held = descriptorsOf(engine.process.pid);
    const total = arena.size(600, 10_000);
    const slow = startProcess(SLOW_CLIENTS, {}, [port, String(total)]);
    arena.afterwards(() => {
      slow.signal('SIGKILL');
      return slow.exited;
    });
    await slow.ready;
    await slow.ask('count');
    const during = await measure(engine.url, seconds);
    const heldDuring = descriptorsOf(engine.process.pid) - held;
    const { fewest, opened } = (await slow.ask('count')) as { fewest: number; opened: number }; // what it sends
    const stored = await arena.redis.xlen(arena.stream);
    const besides = stored - before.accepted - during.accepted;
    return [
      stated(`slow connections open at the least, of ${total}`, String(fewest)),
      stated('of them made anew meanwhile', String(opened)),
      stated('connections more than before, held by the engine at the end', String(heldDuring)),
      stated('others, by what became of them', outcomesOf(during.answers)),
      exactly(
        'others that hung, were cut or refused',
        during.failed.filter((one) => !isOfStillness(one)).length,
        0,
      ),
      noneUnlessStill('others told that Redis is silent', during.failed.filter(isOfStillness).length),
      stated('others, p99 without them', `${before.p99.toFixed(1)} ms`),
      stated('others, p99 beside them', `${during.p99.toFixed(1)} ms`),
      within('the one as a part of the other', during.p99 / before.p99, 2, 'times'),
      atLeast('entries besides one for each 202', besides, 0),
      // Appended, and Redis did not say so in time: that may be stored or not.
      atMost('entries besides one for each 202', besides, before.unconfirmed + during.unconfirmed),
      exactly('processes ended', engine.deaths(), 0),
    ];
  },
};

interface Measured {
  answers: readonly Answer[];
  p99: number;
  accepted: number;
  /** Those that were not answered 202. */
  failed: readonly Answer[];
  unconfirmed: number;
}

async function measure(url: string, seconds: number): Promise<Measured> {
  const load = new IntakeLoad(url, PER_SECOND, () => ({}));
  await pause(seconds * 1000);
  await load.stop();
  const { answers, accepted } = load;
  const times = accepted.map(({ tookMs }) => tookMs);
  const failed = answers.filter(({ outcome }) => outcome !== 202);
  return {
    answers,
    p99: percentile(times, 0.99),
    accepted: accepted.length,
    failed,
    unconfirmed: failed.filter(({ why }) => why === 'APPEND_UNCONFIRMED').length,
  };
}

/** Files and connections that a program and its processes hold. */
function descriptorsOf(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + (sampleOf(one)?.descriptors ?? 0), 0);
}

/** Redis was not given a turn for longer than APPEND_TIMEOUT, or this process: it is not for slow connections. */
function isOfStillness({ outcome, why }: Answer): boolean {
  if (outcome === 'unseen') return true;
  return outcome === 503 && (why === 'APPEND_UNCONFIRMED' || why === 'REDIS_UNAVAILABLE');
}

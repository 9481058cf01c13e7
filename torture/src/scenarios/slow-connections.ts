import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startProcess } from '@sluice/testbed';
import { IntakeLoad } from '../intake-load.js';
import { percentile } from '../percentile.js';
import { exactly, type Scenario, stated, within } from '../scenario.js';

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
    const total = arena.size(600, 10_000);
    const slow = startProcess(SLOW_CLIENTS, {}, [port, String(total)]);
    arena.afterwards(() => {
      slow.signal('SIGKILL');
      return slow.exited;
    });
    await slow.ready;
    const during = await measure(engine.url, seconds);
    const { open } = (await slow.ask('count')) as { open: number }; // what it sends
    const stored = await arena.redis.xlen(arena.stream);
    return [
      stated(`slow connections open at the end, of ${total}`, String(open)),
      exactly('others not answered 202', during.failed, 0),
      stated('others, p99 without them', `${before.p99.toFixed(1)} ms`),
      stated('others, p99 beside them', `${during.p99.toFixed(1)} ms`),
      within('the one as a part of the other', during.p99 / before.p99, 2, 'times'),
      exactly('entries besides one for each 202', stored - before.accepted - during.accepted, 0),
      exactly('processes ended', engine.deaths(), 0),
    ];
  },
};

async function measure(
  url: string,
  seconds: number,
): Promise<{ p99: number; failed: number; accepted: number }> {
  const load = new IntakeLoad(url, PER_SECOND, () => ({}));
  await pause(seconds * 1000);
  await load.stop();
  const { answers, accepted } = load;
  const times = accepted.map(({ tookMs }) => tookMs);
  return {
    p99: percentile(times, 0.99),
    failed: answers.length - accepted.length,
    accepted: accepted.length,
  };
}

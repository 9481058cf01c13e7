import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '@sluice/testbed';
import { monotonicMs } from '../monotonic.js';
import { childrenOf, sampleOf } from '../process-figures.js';
import { atLeast, atMost, exactly, type Scenario, stated, within } from '../scenario.js';

/** All that is under way at once, twice as much as a process may grow. */
const CROWD_BYTES = 128 * 1024 ** 2;
const BODY = Buffer.from(`{"data":"${'x'.repeat(300_000)}"}`);
const CONNECTIONS = Math.ceil(CROWD_BYTES / BODY.length);
/** Before Redis is frozen: enough to warm up, and little under way at once. */
const FEW_CONNECTIONS = 32;
const LOOK_MS = 50;
const AGAIN_MS = 500;
const MOST_GROWTH_MIB = 64;
const NO_BOUNDS = {
  MAX_IN_FLIGHT_REQUESTS: '1000000',
  MAX_IN_FLIGHT_BYTES: '10000000000',
  APPEND_TIMEOUT: '60',
};

/** Many connections send large bodies while Redis is frozen. */
export const frozenRedisIsBounded: Scenario = {
  name: 'frozen-redis-is-bounded',
  promise: 'while Redis is frozen, an engine process grows by less than 64 MiB and answers 503 in time',
  controls: { 'no-bounds': 'nothing bounds what a process holds, and it waits for Redis for a minute' },
  async run(arena) {
    const bounds = arena.broken === 'no-bounds' ? NO_BOUNDS : {};
    const engine = await arena.engine({ STREAM_MAXLEN: '10000000', ...bounds });
    const [pid] = childrenOf(engine.process.pid) as [number]; // it has one
    const crowd = new Crowd(engine.url, FEW_CONNECTIONS);
    arena.afterwards(async () => crowd.stop());
    await pause(arena.size(2000, 5000));
    const before = await highest(pid, 1000);
    await arena.redis.flushall(); // or Redis would hold a gigabyte in the end
    arena.server.pause();
    crowd.countAnew();
    crowd.growTo(CONNECTIONS);
    const frozen = await highest(pid, arena.size(4000, 10_000));
    const { statuses, slowestMs } = crowd;
    crowd.countAnew();
    arena.server.resume();
    const returnedAt = monotonicMs();
    await waitFor(() => crowd.statuses.has(202), {
      timeoutMs: 60_000,
      what: 'a 202 after the return of Redis',
    });
    const backAfterMs = monotonicMs() - returnedAt;
    crowd.stop();
    const others = [...statuses].filter(([status]) => status !== 503);
    return [
      stated('resident before', `${before.toFixed(0)} MiB`),
      atMost('growth while Redis is frozen', frozen - before, MOST_GROWTH_MIB, 'MiB'),
      stated(
        'answers to what was sent meanwhile',
        [...statuses].map(([status, count]) => `${count}x ${status}`).join(', '),
      ),
      atLeast('of them 503', statuses.get(503) ?? 0, 1),
      exactly('others', others.length, 0),
      within('slowest answer', slowestMs / 1000, 2, 's'),
      within('first 202 after its return', backAfterMs / 1000, 2, 's'),
      exactly('processes ended', engine.deaths(), 0),
    ];
  },
};

/** The highest resident memory of a process during a time, in MiB. */
async function highest(pid: number, ms: number): Promise<number> {
  let most = 0;
  for (const until = monotonicMs() + ms; monotonicMs() < until; await pause(LOOK_MS)) {
    most = Math.max(most, sampleOf(pid)?.residentMiB ?? 0);
  }
  return most;
}

/** Connections that send one large body after the other. */
class Crowd {
  /** Answers to what was sent since `countAnew`, by status; a text when there was none. */
  statuses = new Map<number | string, number>();
  slowestMs = 0;
  readonly #agent: Agent;
  readonly #url: string;
  #since = 0;
  #isOver = false;

  #size = 0;

  constructor(url: string, connections: number) {
    this.#url = `${url}/tasks`;
    this.#agent = new Agent({ keepAlive: true });
    this.growTo(connections);
  }

  growTo(connections: number): void {
    for (; this.#size < connections; this.#size++) void this.#work();
  }

  countAnew(): void {
    this.statuses = new Map();
    this.slowestMs = 0;
    this.#since = monotonicMs();
  }

  stop(): void {
    this.#isOver = true;
    this.#agent.destroy();
  }

  async #work(): Promise<void> {
    while (!this.#isOver) {
      const sentAt = monotonicMs();
      const status = await this.#post();
      if (!this.#isOver && sentAt > this.#since) {
        this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
        this.slowestMs = Math.max(this.slowestMs, monotonicMs() - sentAt);
      }
      if (status !== 202) await pause(AGAIN_MS);
    }
  }

  #post(): Promise<number | string> {
    return new Promise((resolve) => {
      const headers = { 'Content-Type': 'application/json', 'Content-Length': BODY.length };
      const sent = request(this.#url, { method: 'POST', agent: this.#agent, headers });
      sent.on('error', (error) => resolve(error.message));
      sent.on('response', (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 'no status'));
      });
      sent.end(BODY);
    });
  }
}

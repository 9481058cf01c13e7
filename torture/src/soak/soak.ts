import { setTimeout as pause } from 'node:timers/promises';
import { pickFrom, seededRandom, startTcpProxy } from '@sluice/testbed';
import { accountFor, recognisable } from '../account.js';
import type { Arena } from '../arena.js';
import { IntakeLoad } from '../intake-load.js';
import { monotonicMs } from '../monotonic.js';
import { childrenOf, isAlive, type Sample, sampleOf } from '../process-figures.js';
import { atMost, exactly, type Finding, skipped, stated } from '../scenario.js';
import type { Work } from '../work.js';
import { SOAK_FAULTS, type SoakSystem } from './soak-faults.js';
import { lowestPerWindow, slopeOf } from './trend.js';

const LEASE_S = 5;
const SAMPLE_MS = 10_000;
/** Memory grows while code is compiled and caches fill: this much of the time does not count. */
const WARM_UP = 0.25;
/** Below this, the noise of the garbage collector is more than the slope that is looked for. */
const JUDGED_FROM_MINUTES = 30;
/** The lowest of so many minutes counts: what is above it may be garbage that has yet to be collected. */
const FLOOR_MINUTES = 3;
const MOST_SLOPE_MIB = 1;
const MOST_RISE_DESCRIPTORS = 5;
/** Lost tasks that are named one by one. */
const MOST_NAMED = 10;
/** After this, clients and servers have closed the connections of requests that are over. */
const IDLE_MS = 12_000;
const STALL_MS = (LEASE_S + 10) * 1000;

export interface SoakPlan {
  minutes: number;
  perSecond: number;
  faultEverySeconds: number;
  /** Names of the faults to choose from; empty: all. */
  only: readonly string[];
  /** Decides which faults come, and whom they meet. */
  seed: number;
  /** Told once a minute. */
  tell: (line: string) => void;
}

/** A process of ours that lives from beginning to end. */
interface Watched {
  readonly name: string;
  readonly pid: number;
  readonly samples: Sample[];
  /** Before the load came, and after it had gone: no connection of a client is open then. */
  readonly idle: Sample[];
}

/** A fault that was applied. */
interface Inflicted {
  readonly name: string;
  /** On the clock of `monotonicMs`. */
  readonly at: number;
  /** Why it could not be applied as it should. */
  readonly error: string | undefined;
}

/** What a soak has found, and what it was found from. */
export interface SoakResult {
  readonly findings: Finding[];
  readonly faults: readonly Inflicted[];
  readonly processes: readonly Watched[];
}

/** Intake, consumers and a steady load, with a fault every so often; then adds up what became of every task. */
export async function soak(arena: Arena, plan: SoakPlan): Promise<SoakResult> {
  const { system, watched } = await startSystem(arena, seededRandom(plan.seed));
  look(watched, 'idle');
  const load = new IntakeLoad(system.engine.url, plan.perSecond, workOf);
  arena.afterwards(() => load.stop());
  const faults: Inflicted[] = [];
  const endsAt = monotonicMs() + plan.minutes * 60_000;
  await Promise.all([
    inflict(system, plan, endsAt, faults),
    observe(watched, endsAt),
    tellEveryMinute(arena, load, watched, faults, endsAt, plan.tell),
  ]);
  await load.stop();
  await arena.settled(STALL_MS);
  await pause(IDLE_MS);
  look(watched, 'idle');
  const findings = [
    ...faultFindings(faults),
    ...(await ledgerFindings(arena, load)),
    exactly('processes that ended by themselves', watched.filter(({ pid }) => !isAlive(pid)).length, 0),
    ...watched.flatMap((one) => trends(one, plan.minutes)),
  ];
  return { findings, faults, processes: watched };
}

/** Most tasks just take a moment; some fail once, a few for good. */
function workOf(n: number): Omit<Work, 'n'> {
  if (n % 1000 === 999) return { do: 'throw' };
  if (n % 50 === 49) return { do: 'throw', until: 1 };
  return { ms: n % 100 };
}

async function startSystem(
  arena: Arena,
  random: () => number,
): Promise<{ system: SoakSystem; watched: Watched[] }> {
  const proxy = await startTcpProxy(arena.server.port);
  arena.afterwards(() => proxy.close());
  const redisUrl = `redis://127.0.0.1:${proxy.port}`;
  const engine = await arena.engine({ REDIS_URL: redisUrl, WORKER_PROCESSES: '2' });
  const options = { redisUrl, threads: 1, leaseSeconds: LEASE_S };
  const survivor = await arena.consumer(options);
  const fleet = await arena.fleet(2, options);
  const watch = (name: string, pid: number): Watched => ({ name, pid, samples: [], idle: [] });
  return {
    system: { arena, engine, fleet, proxy, leaseSeconds: LEASE_S, random },
    watched: [
      watch('engine primary', engine.process.pid),
      watch('oldest engine process', childrenOf(engine.process.pid)[0] ?? 0),
      watch('consumer', survivor.pid),
    ],
  };
}

/** Applies faults at random, one at a time. One that cannot be applied is remembered, and the next one comes. */
async function inflict(
  system: SoakSystem,
  { faultEverySeconds, only }: SoakPlan,
  endsAt: number,
  faults: Inflicted[],
): Promise<void> {
  const everyMs = faultEverySeconds * 1000;
  const all = Object.entries(SOAK_FAULTS).filter(([name]) => only.length === 0 || only.includes(name));
  for (let next = monotonicMs() + everyMs; next < endsAt; next += everyMs) {
    await pause(Math.max(0, next - monotonicMs()));
    const [name, inflictOne] = pickFrom(all, system.random) ?? [];
    if (name === undefined || inflictOne === undefined) continue;
    const at = monotonicMs();
    const error = await inflictOne(system).then(() => undefined, String);
    faults.push({ name, at, error });
  }
}

async function observe(watched: readonly Watched[], endsAt: number): Promise<void> {
  while (monotonicMs() < endsAt) {
    look(watched, 'samples');
    await pause(Math.max(0, Math.min(SAMPLE_MS, endsAt - monotonicMs())));
  }
}

function look(watched: readonly Watched[], into: 'samples' | 'idle'): void {
  for (const one of watched) {
    const sample = sampleOf(one.pid);
    if (sample !== undefined) one[into].push(sample);
  }
}

async function tellEveryMinute(
  arena: Arena,
  load: IntakeLoad,
  watched: readonly Watched[],
  faults: readonly Inflicted[],
  endsAt: number,
  tell: (line: string) => void,
): Promise<void> {
  for (let minute = 1; monotonicMs() < endsAt; minute++) {
    await pause(Math.max(0, Math.min(60_000, endsAt - monotonicMs())));
    const figures = watched.map(({ name, samples }) => {
      const last = samples.at(-1);
      return `${name} ${last?.residentMiB.toFixed(1)} MiB ${last?.descriptors} fds`;
    });
    tell(
      `minute ${minute}: accepted ${load.accepted.length}, refused ${load.answers.length - load.accepted.length}, ` +
        `done ${arena.journal.read().ended.size}, faults ${faults.length} (${faults.at(-1)?.name ?? 'none yet'}); ${figures.join(', ')}`,
    );
  }
}

function faultFindings(faults: readonly Inflicted[]): Finding[] {
  const counts = new Map<string, number>();
  for (const { name } of faults) counts.set(name, (counts.get(name) ?? 0) + 1);
  const failed = faults.filter(({ error }) => error !== undefined);
  return [
    stated('faults', [...counts].map(([name, count]) => `${count}x ${name}`).join(', ')),
    ...failed.map(({ name, error }) => stated(name, error ?? '')),
    exactly('faults that could not be applied', failed.length, 0),
  ];
}

async function ledgerFindings(arena: Arena, load: IntakeLoad): Promise<Finding[]> {
  const accepted = load.accepted.map(({ taskId }) => taskId ?? '');
  const account = await accountFor(arena, accepted);
  const { done, dead, lost, duplicates } = account;
  return [
    exactly('accepted = done + dead', done + dead, accepted.length),
    stated('of these dead letters', String(dead)),
    exactly('lost', lost.length, 0),
    ...lost.slice(0, MOST_NAMED).map((taskId) => stated('lost', taskId)),
    exactly('entries of the stream that the ledger does not account for', await arena.unaccounted(), 0),
    exactly('left in the stream', await arena.redis.xlen(arena.stream), 0),
    exactly('requests that hung', load.answers.filter(({ outcome }) => outcome === 'hung').length, 0),
    stated('runs again', String(duplicates)),
    ...recognisable(account),
  ];
}

function trends({ name, samples, idle }: Watched, minutes: number): Finding[] {
  const counting = samples.slice(Math.floor(samples.length * WARM_UP));
  const floor = lowestPerWindow(
    counting.map(({ at, residentMiB }) => [at / 600_000, residentMiB] as const),
    FLOOR_MINUTES / 10,
  );
  const perTenMinutes = slopeOf(floor);
  const memory = `${name}: resident memory, per 10 min`;
  const [before, after] = idle;
  return [
    minutes < JUDGED_FROM_MINUTES
      ? skipped(memory, `${perTenMinutes.toFixed(1)} MiB; too short a time to judge`)
      : atMost(memory, perTenMinutes, MOST_SLOPE_MIB, 'MiB'),
    atMost(
      `${name}: file descriptors, after less before the load`,
      (after?.descriptors ?? Number.NaN) - (before?.descriptors ?? Number.NaN),
      MOST_RISE_DESCRIPTORS,
    ),
  ];
}

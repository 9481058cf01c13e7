import { BenchFault } from './bench-fault.js';
import { type CpuSeconds, OtherPrograms } from './cpu-time.js';
import type { ClosedLoopResult } from './load/closed-loop.js';
import type { Peer, RunningPeer } from './peers/peer.js';
import type { Bench } from './scenario.js';
import { spreadOf } from './statistics.js';

/** CPU seconds per 100,000 accepted tasks: what a task costs, whoever else uses the machine. */
export interface CpuPer100k {
  server: number;
  redis?: number | undefined;
}

/** What every turn of a peer is recorded with. */
export interface Turn {
  peer: string;
  round: number;
  accepted: number;
  cpuPer100k: CpuPer100k | undefined;
  /** Cores that programs which have nothing to do with the bench kept busy during the turn. */
  otherCores: number | undefined;
  redisVersion: string | undefined;
}

/** Cores that other programs may take during a turn before it counts as disturbed. */
const DISTURBED_CORES = 0.2;
const TURNS_AT_MOST = 5;
const CALM_LOOK_MS = 1000;
const CALM_LOOKS = 300;

/**
 * Gives every peer its turn in each round: what changes on the machine meanwhile changes for all of them.
 */
export async function interleaved<P, T extends Turn>(
  bench: Bench,
  peers: readonly P[],
  takeTurn: (peer: P, round: number) => Promise<T>,
): Promise<T[]> {
  const turns: T[] = [];
  for (let round = 1; round <= bench.options.rounds; round++) {
    for (const peer of peers) turns.push(await calmly(bench, () => takeTurn(peer, round)));
  }
  return turns;
}

/** Takes a turn; with --calm waits until others are quiet, and takes it again if they were not. */
export async function calmly<T extends Turn>(bench: Bench, takeTurn: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    if (bench.options.calm) await untilCalm();
    const turn = await takeTurn();
    const isDisturbed = (turn.otherCores ?? 0) > DISTURBED_CORES;
    if (!isDisturbed || !bench.options.calm || attempt === TURNS_AT_MOST) return turn;
    bench.progress(`  other programs took ${turn.otherCores?.toFixed(1)} cores meanwhile: once more`);
  }
}

/** Waits until other programs were quiet for a second, but not for ever. */
async function untilCalm(): Promise<void> {
  const others = new OtherPrograms();
  others.cores();
  for (let looks = 0; looks < CALM_LOOKS; looks++) {
    await new Promise((resolve) => setTimeout(resolve, CALM_LOOK_MS));
    if ((others.cores() ?? 0) <= DISTURBED_CORES) return;
  }
}

/** What a load cost. */
export interface Cost {
  cpuPer100k: CpuPer100k | undefined;
  otherCores: number | undefined;
}

/** Runs a load, and measures the CPU time it cost the server, and what other programs took meanwhile. */
export async function withCost<T extends { accepted: number }>(
  server: Pick<RunningPeer, 'cpuSeconds'>,
  load: () => Promise<T>,
): Promise<{ result: T; cost: Cost }> {
  const others = new OtherPrograms();
  others.cores();
  const before = server.cpuSeconds();
  const result = await load();
  const cpuPer100k = per100k(before, server.cpuSeconds(), result.accepted);
  return { result, cost: { cpuPer100k, otherCores: others.cores() } };
}

/** What a reader must know of how undisturbed the turns were. */
export function disturbances(turns: readonly Turn[]): string[] {
  const disturbed = turns.filter(({ otherCores }) => (otherCores ?? 0) > DISTURBED_CORES);
  if (disturbed.length === 0) return [];
  const { median, max } = spreadOf(disturbed.map(({ otherCores }) => otherCores ?? 0));
  return [
    `disturbed: during ${disturbed.length} of ${turns.length} turns other programs took ${median.toFixed(1)} cores ` +
      `(at most ${max.toFixed(1)}); --calm waits for them`,
  ];
}

/**
 * @param most how many may be: where the speed is not what is asked for, a machine that stands still does no harm
 * @returns how many requests were not accepted
 * @throws BenchFault when more were not: a server that refuses or breaks is measured wrongly
 */
export function refuseFailures(
  peer: Peer,
  server: RunningPeer,
  loads: readonly Pick<ClosedLoopResult, 'failed' | 'failedBy'>[],
  most = 0,
): number {
  const failed = loads.reduce((sum, load) => sum + load.failed, 0);
  if (failed <= most) return failed;
  const reasons = loads.flatMap(({ failedBy = {} }) => Object.entries(failedBy));
  const why = reasons.flatMap(([reason, count]) => (count === 0 ? [] : `${count} ${reason}`)).join(', ');
  const what = `${failed} requests were not accepted${why === '' ? '' : ` (${why})`}`;
  throw new BenchFault(`${peer.name}: ${what}\n${server.log()}`.trim());
}

function per100k(
  before: CpuSeconds | undefined,
  after: CpuSeconds | undefined,
  accepted: number,
): CpuPer100k | undefined {
  if (before === undefined || after === undefined || accepted === 0) return undefined;
  const cost = (from: number, to: number): number => ((to - from) / accepted) * 100_000;
  return {
    server: cost(before.server, after.server),
    redis:
      before.redis === undefined || after.redis === undefined ? undefined : cost(before.redis, after.redis),
  };
}

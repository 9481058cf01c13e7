import { BenchFault } from './bench-fault.js';
import type { CpuSeconds } from './cpu-time.js';
import type { Peer, RunningPeer } from './peers/peer.js';

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
  redisVersion: string | undefined;
}

/** Gives every peer its turn in each round: what changes on the machine meanwhile changes for all of them. */
export async function interleaved<T>(
  rounds: number,
  peers: readonly Peer[],
  takeTurn: (peer: Peer, round: number) => Promise<T>,
): Promise<T[]> {
  const turns: T[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const peer of peers) turns.push(await takeTurn(peer, round));
  }
  return turns;
}

/** Runs a load and measures the CPU time it cost the server. */
export async function withCpuTime<T extends { accepted: number }>(
  server: RunningPeer,
  load: () => Promise<T>,
): Promise<{ result: T; cpuPer100k: CpuPer100k | undefined }> {
  const before = server.cpuSeconds();
  const result = await load();
  const after = server.cpuSeconds();
  return { result, cpuPer100k: per100k(before, after, result.accepted) };
}

/** @throws BenchFault when a request was not answered 202: a server that refuses or breaks is measured wrongly */
export function refuseFailures(peer: Peer, failed: number): void {
  if (failed > 0) throw new BenchFault(`${peer.name}: ${failed} requests were not answered 202`);
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

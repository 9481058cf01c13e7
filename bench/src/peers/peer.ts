import type { CpuSeconds } from '../cpu-time.js';
import type { Exchange } from '../load/closed-loop.js';

/** A server that can be put under load, in any number of rounds. */
export interface Peer {
  /** As it stands in tables: `bare`, `engine, ack=appended`. */
  readonly name: string;
  /** What it is made of, with versions, where it is not ours. */
  readonly madeOf?: string;
  /** Starts it anew, with nothing left over from an earlier round. */
  start(): Promise<RunningPeer>;
}

/** A server under load in one round. */
export interface RunningPeer {
  /** Where tasks are posted. */
  readonly url: string;
  /** Where it tells its metrics, if it does. */
  readonly opsUrl?: string;
  /** The process it began with, if it is one. */
  readonly pid?: number;
  /** How long it took from its start until it was ready, where that is known. */
  readonly readyAfterMs?: number;
  /** Where it is not a POST answered 202. */
  readonly exchange?: Exchange;
  /** Version of the Redis behind it, if there is one. */
  readonly redisVersion?: string;
  /** CPU time used so far; undefined where the system does not tell (no /proc). */
  cpuSeconds(): CpuSeconds | undefined;
  /**
   * Checks after the load that every 202 was true.
   *
   * @param accepted 202s the generators counted
   * @param unanswered most requests that were sent and whose answers nobody waited for
   * @throws BenchFault when it was not
   */
  verify(accepted: number, unanswered: number): Promise<void>;
  /** The last it has written, to tell why it refused requests. */
  log(): string;
  stop(): Promise<void>;
}

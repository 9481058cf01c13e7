import type { RunReport } from './run-tally.js';

/** A program that works tasks off, with the queue it takes them from. */
export interface ConsumerPeer {
  /** As it stands in tables. */
  readonly name: string;
  /** Tasks/s on two cores, roughly: as many are put into its queue as keep it busy for the time that was asked for. */
  readonly expectedPerSecond: number;
  /** Its queue, in a Redis that holds nothing else. */
  openQueue(redisUrl: string): Promise<TaskQueue>;
  /** @param numbered tasks of which the start is noted; 0: none */
  start(redisUrl: string, numbered: number): RunningConsumer;
}

/** A queue, seen from outside. */
export interface TaskQueue {
  readonly redisVersion: string;
  /** Puts tasks in, before there is a consumer. */
  prefill(tasks: number): Promise<void>;
  books(): Promise<Books>;
  close(): Promise<void>;
}

/** Where the tasks of a queue are, as Redis has it. */
export interface Books {
  /** Not settled yet. */
  left: number;
  done: number;
  /** Failed for good. */
  dead: number;
}

/** A consumer at work. One process, whatever its threads. */
export interface RunningConsumer {
  /** Resolves when it takes tasks; rejects when it ends before that. */
  readonly ready: Promise<unknown>;
  /** CPU seconds used so far; undefined where there is no /proc. */
  cpuSeconds(): number | undefined;
  /** How it ended, if it has. */
  ended(): string | undefined;
  /** What its handlers have seen so far. */
  runs(): Promise<RunReport>;
  /** The last it has written. */
  log(): string;
  /** All it has written. */
  output(): string;
  /** @throws BenchFault when it does not end as it should */
  stop(): Promise<void>;
}

import type { Latency } from './latency.js';

/** A load in which each connection sends its next request when it has the answer to the last. */
export interface ClosedLoopOptions {
  url: string;
  exchange: Exchange;
  body: string;
  /** Besides the content type. */
  headers: Readonly<Record<string, string>>;
  /** Every request has an `Idempotency-Key` that no other has. */
  idempotencyKeys: boolean;
  connections: number;
  seconds: number;
}

/** How a server is given a task, and how it says that it has it. */
export interface Exchange {
  method: 'POST' | 'PUT';
  status: number;
}

/** What Sluice does, and everybody who can. */
export const TASK_EXCHANGE: Exchange = { method: 'POST', status: 202 };

export interface ClosedLoopResult {
  /** Answers with the status of the exchange: 202, but for servers that cannot say so. */
  accepted: number;
  /** Anything else: other answers, broken connections, requests not answered in time. */
  failed: number;
  /** How many of those for which reason, where the generator tells. */
  failedBy?: Readonly<Record<string, number>>;
  seconds: number;
  /** From sending to answer. Says nothing of those who would have come while the server stalled. */
  latency: Latency;
}

export interface ClosedLoopGenerator {
  /** With its version, as results name it. */
  readonly name: string;
  run(options: ClosedLoopOptions): Promise<ClosedLoopResult>;
}

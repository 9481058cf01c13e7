import type { Latency } from './latency.js';

/** A load in which each connection sends its next request when it has the answer to the last. */
export interface ClosedLoopOptions {
  url: string;
  body: string;
  connections: number;
  seconds: number;
}

export interface ClosedLoopResult {
  /** Answers 202. */
  accepted: number;
  /** Anything else: other answers, broken connections, requests not answered in time. */
  failed: number;
  seconds: number;
  /** From sending to answer. Says nothing of those who would have come while the server stalled. */
  latency: Latency;
}

export interface ClosedLoopGenerator {
  /** With its version, as results name it. */
  readonly name: string;
  run(options: ClosedLoopOptions): Promise<ClosedLoopResult>;
}

import type { SheddingReason } from '@sluice/telemetry';
import type { RefusalCode } from '../http/answers.js';
import type { BacklogGauge } from './backlog-gauge.js';

export interface AdmissionOptions {
  maxInFlightRequests: number;
  maxInFlightBytes: number;
  maxInFlightTasks: number;
  /** Told when shedding starts, with the bound that was reached, and when it has stopped. */
  onShedding: (reason: SheddingReason | undefined) => void;
}

/** Shedding counts as over when nothing was shed for this long. */
const CALM_MS = 1000;

/**
 * Decides whether a request may come in, and keeps count of what is in: so many requests, so many bytes,
 * and no more. Beyond that the answer is 503 `OVERLOADED`, before the body is read.
 */
export class Admission {
  requests = 0;
  bytes = 0;
  /** Tasks of batches. */
  tasks = 0;
  /** How many requests were shed, by the bound that was reached. */
  readonly shedFor: Partial<Record<SheddingReason, number>> = {};
  private sheddingSince: number | undefined;
  private lastShed = 0;

  constructor(private readonly options: AdmissionOptions) {}

  /** Why a request cannot come in now; undefined if it can. `expectedBytes` is its Content-Length, or 0. */
  refusal(redisUp: boolean, backlog: BacklogGauge, expectedBytes: number): RefusalCode | undefined {
    if (!redisUp) return 'REDIS_UNAVAILABLE';
    if (this.requests >= this.options.maxInFlightRequests) return this.shed('requests');
    if (this.bytes + expectedBytes > this.options.maxInFlightBytes) return this.shed('bytes');
    if (backlog.isFull) return this.shed(backlog.fullReason);
    if (this.sheddingSince !== undefined) this.calm();
    return undefined;
  }

  /** Why the tasks of a batch, whose request is in, cannot all come in now; undefined if they can. */
  refusalOfBatch(tasks: number, backlog: BacklogGauge): 'OVERLOADED' | undefined {
    if (this.tasks + tasks > this.options.maxInFlightTasks) return this.shed('tasks');
    if (!backlog.hasRoomFor(tasks)) return this.shed(backlog.fullReason);
    return undefined;
  }

  /** Whether so many more bytes of a body may be held. */
  hasRoomFor(bytes: number): boolean {
    if (this.bytes + bytes <= this.options.maxInFlightBytes) return true;
    this.shed('bytes');
    return false;
  }

  /** A request was let in, and its tasks, or some of them, found the schedule full: only Redis knows that. */
  scheduleWasFull(): void {
    this.shed('schedule');
  }

  private shed(reason: SheddingReason): 'OVERLOADED' {
    this.lastShed = performance.now();
    this.shedFor[reason] = (this.shedFor[reason] ?? 0) + 1;
    if (this.sheddingSince === undefined) {
      this.sheddingSince = this.lastShed;
      this.options.onShedding(reason);
    }
    return 'OVERLOADED';
  }

  private calm(): void {
    if (performance.now() - this.lastShed < CALM_MS) return;
    this.sheddingSince = undefined;
    this.options.onShedding(undefined);
  }
}

import type { SheddingReason } from '@sluice/telemetry';
import { DrainRate } from './drain-rate.js';

/** Why no further task of a stream is taken. */
type FullReason = Extract<SheddingReason, 'backlog' | 'drain-time' | 'redis-memory'>;

/** The backlog of one stream, as far as a process knows it. */
export interface BacklogGauge {
  readonly stream: string;
  /** Tasks this process appended since the last look. */
  appended: number;
  /** Tasks of batches that were let in, and neither were appended nor refused yet. */
  reserved: number;
  /** Tasks in the stream that not every group has acknowledged, at the last look. */
  readonly backlog: number;
  readonly isFull: boolean;
  /** Whether so many more tasks may come in. */
  hasRoomFor(tasks: number): boolean;
  /** What `isFull` goes by at present. */
  readonly fullReason: FullReason;
  /** Seconds after which there is room again, as far as that can be told; 1 to 300. */
  readonly retryAfterSeconds: number;
}

export interface BacklogBounds {
  /** Most tasks of one backlog. */
  maxBacklog: number;
  /** Longest time in seconds that working a backlog off may take; 0: any. */
  maxDrainSeconds: number;
}

const MOST_RETRY_AFTER_S = 300;
/** Memory is freed by consumers; how soon cannot be told. */
const MEMORY_RETRY_AFTER_S = 5;
/** More than the backlog from which on a rate is measured. */
const LEAST_BOUND = 20;

/** A gauge that is brought up to date by who looks at Redis. */
export class WatchedGauge implements BacklogGauge {
  appended = 0;
  reserved = 0;
  backlog = 0;
  fullReason: FullReason = 'backlog';
  private readonly rate = new DrainRate();
  /** The lowest of the bounds that hold at present, so that a request has one number to compare with. */
  private bound: number;

  constructor(
    readonly stream: string,
    private readonly options: BacklogBounds,
  ) {
    this.bound = options.maxBacklog;
  }

  get isFull(): boolean {
    return this.backlog + this.appended + this.reserved >= this.bound;
  }

  hasRoomFor(tasks: number): boolean {
    return this.backlog + this.appended + this.reserved + tasks <= this.bound;
  }

  get retryAfterSeconds(): number {
    if (this.fullReason === 'redis-memory') return MEMORY_RETRY_AFTER_S;
    const { perSecond } = this.rate;
    if (perSecond === undefined) return 1;
    const seconds = Math.ceil((this.backlog + this.appended + this.reserved - this.bound + 1) / perSecond);
    return Math.min(MOST_RETRY_AFTER_S, Math.max(1, seconds));
  }

  observe(backlog: number, left: number, isMemoryShort: boolean): void {
    this.backlog = backlog;
    this.rate.observe(left, backlog, performance.now());
    const { maxBacklog, maxDrainSeconds } = this.options;
    const { perSecond } = this.rate;
    this.bound = maxBacklog;
    this.fullReason = 'backlog';
    if (maxDrainSeconds > 0 && perSecond !== undefined && perSecond * maxDrainSeconds < maxBacklog) {
      // Never none at all: without work nothing would leave, and the rate could not rise again.
      this.bound = Math.max(LEAST_BOUND, Math.floor(perSecond * maxDrainSeconds));
      this.fullReason = 'drain-time';
    }
    if (isMemoryShort) {
      this.bound = 0;
      this.fullReason = 'redis-memory';
    }
  }
}

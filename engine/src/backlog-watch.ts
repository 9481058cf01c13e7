import type { Redis } from 'ioredis';

/** The backlog of one stream, as far as a process knows it. */
export interface BacklogGauge {
  readonly stream: string;
  /** Tasks this process appended since the last look. */
  appended: number;
  /** Tasks in the stream that not every group has acknowledged, at the last look. */
  backlog: number;
  readonly isFull: boolean;
}

const LOOK_EVERY_MS = 100;

/**
 * Looks at the streams ten times a second, so that admission can compare the backlog with its bound without
 * asking Redis per request. Between looks a process counts what it appends itself. The bound can be overshot by
 * what is under way to Redis at a look, and with several processes by what the others append until the next one.
 */
export class BacklogWatch {
  private readonly gauges: Gauge[] = [];
  private timer: NodeJS.Timeout | undefined;
  private looking = false;

  constructor(
    private readonly redis: Redis,
    private readonly bound: number,
  ) {}

  gauge(stream: string): BacklogGauge {
    const gauge = new Gauge(stream, this.bound);
    this.gauges.push(gauge);
    return gauge;
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    void this.look();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    if (this.looking || this.redis.status !== 'ready') return;
    this.looking = true;
    // A failed look: Redis is away or the key is no stream. The append path notices the same, reports it, answers 503.
    await Promise.allSettled(this.gauges.map((gauge) => this.lookAt(gauge)));
    this.looking = false;
  }

  private async lookAt(gauge: Gauge): Promise<void> {
    const counted = gauge.appended;
    const backlog = await backlogOf(this.redis, gauge.stream);
    gauge.backlog = backlog;
    gauge.appended -= counted;
  }
}

class Gauge implements BacklogGauge {
  appended = 0;
  backlog = 0;

  constructor(
    readonly stream: string,
    private readonly bound: number,
  ) {}

  get isFull(): boolean {
    return this.backlog + this.appended >= this.bound;
  }
}

/**
 * Tasks in a stream that not every group has acknowledged. Acknowledged entries of a stream with one group are
 * deleted, so mostly this is its length; with several groups, or consumers that do not delete, the group that
 * is furthest behind decides: what it has not read yet (`lag`) plus what it has not acknowledged (`pending`).
 */
export async function backlogOf(redis: Redis, stream: string): Promise<number> {
  const length = await redis.xlen(stream);
  if (length === 0) return 0;
  const groups = (await redis.xinfo('GROUPS', stream)) as unknown[][];
  let furthestBehind = 0;
  for (const group of groups) {
    const lag = group[group.indexOf('lag') + 1];
    const pending = Number(group[group.indexOf('pending') + 1]);
    // Redis cannot tell the lag when entries behind the group's position were deleted: count all, rather too many.
    furthestBehind = Math.max(furthestBehind, typeof lag === 'number' ? lag + pending : length);
  }
  return groups.length === 0 ? length : Math.min(length, furthestBehind);
}

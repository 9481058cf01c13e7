import type { Redis } from 'ioredis';
import { type BacklogBounds, type BacklogGauge, WatchedGauge } from './backlog-gauge.js';
import { usedPart } from './redis-memory.js';

export interface BacklogWatchOptions extends BacklogBounds {
  /** Part of Redis' `maxmemory` from which on nothing is taken; 1: none. */
  memoryWatermark: number;
}

const LOOK_EVERY_MS = 100;
const LOOK_AT_MEMORY_EVERY_MS = 1000;

/**
 * Looks at the streams ten times a second, so that admission can compare the backlog with its bound without
 * asking Redis per request. Between looks a process counts what it appends itself. The bound can be overshot by
 * what is under way to Redis at a look, and with several processes by what the others append until the next one.
 */
export class BacklogWatch {
  private readonly gauges: WatchedGauge[] = [];
  private timer: NodeJS.Timeout | undefined;
  private looking = false;
  private memoryAt = Number.NEGATIVE_INFINITY;
  private isMemoryShort = false;

  constructor(
    private readonly redis: Redis,
    private readonly options: BacklogWatchOptions,
  ) {}

  gauge(stream: string): BacklogGauge {
    const gauge = new WatchedGauge(stream, this.options);
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
    await Promise.allSettled([this.lookAtMemory(), ...this.gauges.map((gauge) => this.lookAt(gauge))]);
    this.looking = false;
  }

  private async lookAtMemory(): Promise<void> {
    const now = performance.now();
    if (this.options.memoryWatermark >= 1 || now - this.memoryAt < LOOK_AT_MEMORY_EVERY_MS) return;
    this.memoryAt = now;
    this.isMemoryShort = usedPart(await this.redis.info('memory')) >= this.options.memoryWatermark;
  }

  private async lookAt(gauge: WatchedGauge): Promise<void> {
    const counted = gauge.appended;
    const { backlog, left } = await backlogOf(this.redis, gauge.stream);
    gauge.appended -= counted;
    gauge.observe(backlog, left, this.isMemoryShort);
  }
}

/**
 * Tasks in a stream that not every group has acknowledged, and how many have left it. Acknowledged entries of a stream
 * with one group are deleted, so mostly the backlog is its length; with several groups, or consumers that do not delete,
 * the group that is furthest behind decides: what it has not read yet (`lag`) plus what it has not acknowledged (`pending`).
 */
export async function backlogOf(redis: Redis, stream: string): Promise<{ backlog: number; left: number }> {
  if ((await redis.exists(stream)) === 0) return { backlog: 0, left: 0 };
  const [info, groups] = await Promise.all([
    redis.xinfo('STREAM', stream) as Promise<unknown[]>,
    redis.xinfo('GROUPS', stream) as Promise<unknown[][]>,
  ]);
  const length = figure(info, 'length');
  let furthestBehind = 0;
  for (const group of groups) {
    const lag = group[group.indexOf('lag') + 1];
    // Redis cannot tell the lag when entries behind the group's position were deleted: count all, rather too many.
    furthestBehind = Math.max(
      furthestBehind,
      typeof lag === 'number' ? lag + figure(group, 'pending') : length,
    );
  }
  const backlog = groups.length === 0 ? length : Math.min(length, furthestBehind);
  return { backlog, left: figure(info, 'entries-added') - backlog };
}

function figure(pairs: readonly unknown[], name: string): number {
  return Number(pairs[pairs.indexOf(name) + 1]);
}

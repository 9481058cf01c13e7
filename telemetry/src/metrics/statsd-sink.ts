import { createRequire } from 'node:module';
import type * as HotShots from 'hot-shots';
import { checkInstalled } from '../optional-packages.js';
import { REQUEST_SECONDS, TASK_SECONDS } from './buckets.js';
import type { STATSD_NAMES } from './statsd-names.js';
import type { PerTask, TaskResourceFigures } from './task-resource-figures.js';
import { UdpPackets } from './udp-packets.js';

/** What a program counts, since its start; what it does not have is left out. */
export interface StatsdFigures {
  readonly requests?: { readonly count: number; readonly errors: number; readonly durations: Float64Array };
  /** Rows of a `HistogramTable` with the bounds `TASK_SECONDS`. */
  readonly tasks?: readonly Float64Array[];
  readonly queueSize?: number | undefined;
  /** Streams whose append breaker is not closed. */
  readonly breakersOpen?: number;
  readonly memoryBytes: number;
  readonly cpuSeconds: number;
  readonly resources?: readonly TaskResourceFigures[];
}

export interface StatsdTarget {
  readonly host: string;
  readonly port: number;
  readonly prefix: string;
}

type StatsdName = keyof typeof STATSD_NAMES;

const SEND_EVERY_MS = 1000;
const WARN_EVERY_MS = 60_000;
/** Fits into an Ethernet frame. */
const PACKET_BYTES = 1400;

/**
 * Sends figures to StatsD once a second: counts as what came since, durations as one timing for each bucket in which
 * there were any, at the middle of it and with a sample rate by which the daemon counts as many. So a second costs the
 * same few packets however much was done in it. Nothing is kept for a daemon that is away. What is known to be lost is
 * counted, with one warning a minute: its name cannot be resolved, its machine says that nobody listens. A daemon that
 * listens and does not read cannot be told from one that does.
 */
export class StatsdSink {
  /** Packets that could not be sent. */
  dropped = 0;
  private readonly client: HotShots.StatsD;
  private readonly timer: NodeJS.Timeout;
  private warnedAt = Number.NEGATIVE_INFINITY;
  private before: StatsdFigures | undefined;
  private beforeAt = performance.now();

  /** @throws SluiceError `INVALID_OPTIONS` when hot-shots is not installed */
  constructor(
    private readonly target: StatsdTarget,
    private readonly figures: () => StatsdFigures,
    private readonly onTrouble: (dropped: number, error: Error) => void,
  ) {
    checkInstalled('figures are to be sent to StatsD', ['hot-shots']);
    // Only here: whoever has no StatsD does not wait for it to load.
    const { StatsD } = createRequire(import.meta.url)('hot-shots') as typeof HotShots;
    this.client = new StatsD({
      protocol: 'stream',
      stream: new UdpPackets(target, (packets, why) => this.lost(packets, why)),
      maxBufferSize: PACKET_BYTES,
      bufferFlushInterval: SEND_EVERY_MS,
      errorHandler: (error) => this.lost(1, error),
    });
    this.timer = setInterval(() => this.send(), SEND_EVERY_MS);
  }

  /** Sends what is left, waiting for nothing. */
  close(): void {
    clearInterval(this.timer);
    this.send();
    this.client.close(() => {});
  }

  private send(): void {
    const now = this.figures();
    const { before } = this;
    const at = performance.now();
    const seconds = Math.max(0.001, (at - this.beforeAt) / 1000);
    const { requests, tasks, queueSize, breakersOpen, resources = [] } = now;
    if (requests !== undefined) {
      const count = requests.count - (before?.requests?.count ?? 0);
      const errors = requests.errors - (before?.requests?.errors ?? 0);
      this.line('request_count', count, 'c');
      this.line('error_rate', count === 0 ? 0 : errors / count, 'g');
      this.timings('request_duration', REQUEST_SECONDS, requests.durations, before?.requests?.durations);
    }
    for (const [i, row] of (tasks ?? []).entries()) {
      this.timings('task_processing_time', TASK_SECONDS, row, before?.tasks?.[i]);
    }
    if (queueSize !== undefined) this.line('task_queue_size', queueSize, 'g');
    if (breakersOpen !== undefined) this.line('append_breakers_open', breakersOpen, 'g');
    this.line('memory_usage', now.memoryBytes, 'g');
    const cpu = now.cpuSeconds - (before?.cpuSeconds ?? now.cpuSeconds);
    this.line('cpu_usage', (cpu / seconds) * 100, 'g');
    this.perTask('memory_usage_per_task', resources, ({ memory }) => memory);
    this.perTask('gpu_usage_per_task', resources, ({ gpu }) => gpu);
    this.before = now;
    this.beforeAt = at;
  }

  private timings(
    name: StatsdName,
    bounds: readonly number[],
    row: Float64Array,
    before: Float64Array | undefined,
  ): void {
    for (let bucket = 0; bucket <= bounds.length; bucket++) {
      const count = (row[bucket] ?? 0) - (before?.[bucket] ?? 0);
      if (count <= 0) continue;
      const low = bounds[bucket - 1] ?? 0;
      const ms = ((low + (bounds[bucket] ?? low)) / 2) * 1000;
      this.line(name, ms, 'ms', count === 1 ? '' : `|@${1 / count}`);
    }
  }

  /** Over all types: the average by their number of tasks, the extremes of all. */
  private perTask(
    name: 'memory_usage_per_task' | 'gpu_usage_per_task',
    resources: readonly TaskResourceFigures[],
    of: (one: TaskResourceFigures) => PerTask | undefined,
  ): void {
    const known = resources.flatMap((one) => {
      const figures = of(one);
      return figures === undefined || one.tasks === 0 ? [] : [{ ...figures, tasks: one.tasks }];
    });
    const tasks = known.reduce((sum, one) => sum + one.tasks, 0);
    if (tasks === 0) return;
    this.line(`${name}_avg`, known.reduce((sum, one) => sum + one.avg * one.tasks, 0) / tasks, 'g');
    this.line(`${name}_max`, Math.max(...known.map(({ max }) => max)), 'g');
    this.line(`${name}_min`, Math.min(...known.map(({ min }) => min)), 'g');
  }

  private line(name: StatsdName, value: number, type: 'c' | 'g' | 'ms', rate = ''): void {
    // Not in its types: its own sampling would leave lines out at random, and here each stands for a known number.
    const raw = this.client as unknown as { send(message: string, tags: readonly string[]): void };
    raw.send(`${this.target.prefix}.${name}:${value}|${type}${rate}`, []);
  }

  private lost(packets: number, error: Error): void {
    this.dropped += packets;
    if (performance.now() - this.warnedAt < WARN_EVERY_MS) return;
    this.warnedAt = performance.now();
    this.onTrouble(this.dropped, error);
  }
}

/**
 * Opens the sink that the options of a program ask for; none without a host.
 *
 * @throws SluiceError `INVALID_OPTIONS` when hot-shots is not installed
 */
export function openStatsd(
  { statsdHost, statsdPort, statsdPrefix }: { statsdHost?: string; statsdPort: number; statsdPrefix: string },
  figures: () => StatsdFigures,
  onTrouble: (dropped: number, error: Error) => void,
): StatsdSink | undefined {
  if (statsdHost === undefined) return undefined;
  return new StatsdSink({ host: statsdHost, port: statsdPort, prefix: statsdPrefix }, figures, onTrouble);
}

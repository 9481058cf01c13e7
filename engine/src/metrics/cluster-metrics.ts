import { queueKeys } from '@sluice/contract';
import {
  ENGINE_METRICS,
  type EngineFigures,
  type EngineListener,
  Exposition,
  exposeDropped,
  exposeProcesses,
  exposeVersion,
  openStatsd,
  processFigures,
  QUEUE_METRICS,
  type StatsdSink,
  watchEventLoop,
} from '@sluice/telemetry';
import type { RedisHealth } from '../admission/append-breakers.js';
import type { EngineProgramOptions, ResolvedEngineOptions } from '../options.js';
import { DroppedTotals, type ProcessDropped } from './dropped-totals.js';
import { exposeEngine } from './engine-exposition.js';
import { EngineTotals } from './engine-totals.js';
import { BREAKER_STATES, QueueWatch } from './queue-watch.js';
import { statsdFiguresOf } from './statsd-figures.js';

/** What the primary knows of its processes at the moment. */
export interface ClusterState {
  /** Processes that take traffic, and those that do not. */
  readonly ready: number;
  readonly unready: number;
  /** Whether each of them has its connection to Redis. */
  readonly redisConnected: boolean;
  /** What they say of their append breakers, taken together: those that are not closed. */
  readonly refused: RedisHealth['refused'];
}

export interface ClusterMetricsOptions {
  engine: ResolvedEngineOptions;
  /** Registered ones. */
  types: readonly string[];
  program: EngineProgramOptions;
  /** Told of telemetry that is dropped. */
  report: EngineListener;
  /** What of its own telemetry the primary could not deliver. */
  dropped: () => ProcessDropped;
  state: () => ClusterState;
}

/**
 * The figures of the whole engine, kept by the primary: who asks for them is answered from its memory, and neither the
 * engine processes nor Redis are asked.
 */
export class ClusterMetrics {
  private readonly totals = new EngineTotals();
  private readonly dropped = new DroppedTotals();
  private readonly queue: QueueWatch;
  private readonly streams: readonly string[];
  private readonly eventLoop = watchEventLoop();
  private readonly trimmed = new Map<string, number>();
  private deaths = 0;
  private statsd: StatsdSink | undefined;

  constructor(private readonly options: ClusterMetricsOptions) {
    const { redisUrl, streamName } = options.engine;
    const keys = queueKeys(streamName);
    this.streams = [streamName, ...options.types.map((type) => keys.stream(type))];
    this.queue = new QueueWatch(redisUrl, streamName, this.streams);
  }

  start(): void {
    this.statsd = openStatsd(
      this.options.program,
      () => statsdFiguresOf(this.totals.sum(), this.queue.backlog, this.options.state().refused.length),
      (count, error) =>
        this.options.report({ type: 'telemetry-dropped', sink: 'statsd', count, reason: error.message }),
    );
  }

  /** Begins to look at the streams. */
  watchQueue(): Promise<void> {
    return this.queue.start();
  }

  stop(): void {
    this.statsd?.close();
    this.queue.stop();
    this.eventLoop.stop();
  }

  /** Takes in what a process says of itself; `from` stands for the process. */
  report(from: object, figures: EngineFigures, dropped: ProcessDropped): void {
    this.totals.report(from, figures);
    this.dropped.report(from, dropped);
  }

  /** A process has ended: it keeps what it has counted. */
  end(from: object): void {
    this.totals.end(from);
    this.dropped.end(from);
  }

  /** Counts what is told as an event. */
  readonly listener: EngineListener = (event) => {
    if (event.type === 'process-died') this.deaths++;
    if (event.type === 'entries-trimmed') {
      this.trimmed.set(event.stream, (this.trimmed.get(event.stream) ?? 0) + event.count);
    }
  };

  /** All of it in the text format of Prometheus. */
  text(): string {
    const to = new Exposition();
    const { ready, unready, redisConnected, refused } = this.options.state();
    exposeEngine(to, this.totals.sum());
    to.add(ENGINE_METRICS.processes, { state: 'ready' }, ready);
    to.add(ENGINE_METRICS.processes, { state: 'unready' }, unready);
    to.add(ENGINE_METRICS.processDeaths, {}, this.deaths);
    for (const stream of this.streams) {
      const breaker = refused.find((one) => one.stream === stream)?.breaker ?? 'closed';
      to.add(ENGINE_METRICS.appendBreakerState, { stream }, BREAKER_STATES[breaker]);
    }
    for (const [stream, count] of this.trimmed) to.add(ENGINE_METRICS.entriesTrimmed, { stream }, count);
    to.add(QUEUE_METRICS.redisConnected, {}, redisConnected ? 1 : 0);
    this.queue.expose(to);
    exposeProcesses(to, 'primary', processFigures(this.eventLoop.delays));
    exposeDropped(to, { statsd: this.statsd?.dropped ?? 0, ...this.dropped.sum(this.options.dropped()) });
    exposeVersion(to, this.options.engine.serviceVersion);
    return to.text;
  }
}

import {
  type ConsumerCounters,
  type ConsumerListener,
  DELAY_SECONDS,
  Exposition,
  HistogramTable,
  processFigures,
  type SpanCounts,
  type StatsdFigures,
  type TaskResourceFigures,
  watchEventLoop,
} from '@sluice/telemetry';
import { type ConsumerFigures, exposeConsumer } from './consumer-figures.js';
import { RESULTS, TaskMetrics } from './task-metrics.js';

/** What the threads of a consumer have counted, wherever they are. */
export interface ThreadMetricsSource {
  readonly counters: ConsumerCounters;
  /** Of the threads that run, and of all that have ended. */
  readonly metrics: readonly TaskMetrics[];
  /** What single tasks took of the machine. */
  readonly resources: readonly TaskResourceFigures[];
  /** What became of the spans of tasks. */
  readonly spans: SpanCounts;
}

/** The figures of a consumer process, summed over its threads when somebody asks. */
export class ConsumerMetrics {
  private readonly eventLoop = watchEventLoop();
  private readonly replaced = { hung: 0, died: 0 };
  private takenOver = 0;

  constructor(
    private readonly taskTypes: readonly string[],
    private readonly threads: number,
    private readonly source: () => ThreadMetricsSource,
  ) {}

  /** Counts what is told as an event. */
  readonly listener: ConsumerListener = (event) => {
    if (event.type === 'thread-replaced') this.replaced[event.reason]++;
    if (event.type === 'tasks-taken-over') this.takenOver += event.count;
  };

  figures(): ConsumerFigures {
    const { counters, metrics, resources, spans } = this.source();
    const tasks = new TaskMetrics(this.taskTypes.length);
    for (const one of metrics) tasks.addAll(one);
    const delays = new HistogramTable(DELAY_SECONDS, 1);
    delays.add(0, this.eventLoop.delays.copyOf(0));
    delays.add(0, tasks.delay);
    return {
      counters,
      taskTypes: this.taskTypes,
      tasks,
      threads: this.threads,
      threadsReplaced: { ...this.replaced },
      tasksTakenOver: this.takenOver,
      process: processFigures(delays),
      resources,
      spans,
    };
  }

  /** What goes to StatsD of it. */
  statsd(): StatsdFigures {
    const { tasks, process: taken, resources } = this.figures();
    const rows = this.taskTypes.flatMap((_, lane) => RESULTS.map((result) => tasks.duration(lane, result)));
    return {
      tasks: rows,
      memoryBytes: taken.residentMemory,
      cpuSeconds: taken.cpuUser + taken.cpuSystem,
      resources,
    };
  }

  /** All of it in the text format of Prometheus. */
  text(): string {
    const to = new Exposition();
    exposeConsumer(to, this.figures());
    return to.text;
  }

  stop(): void {
    this.eventLoop.stop();
  }
}

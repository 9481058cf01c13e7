import { getHeapStatistics } from 'node:v8';
import { type ConsumerListener, watchEventLoop } from '@sluice/telemetry';
import { keysOfThread, outcomeWriter } from '../broken.js';
import type { LoadedHandler } from '../handlers/handler-registry.js';
import { BREAKER_STATES, TaskMetrics } from '../metrics/task-metrics.js';
import { Doorbell } from '../reading/doorbell.js';
import { type Entry, isKeptForDue, Lane } from '../reading/entry.js';
import { GroupReader } from '../reading/group-reader.js';
import { HeldEntries } from '../reading/held-entries.js';
import { Lanes } from '../reading/lanes.js';
import { loseLeases } from '../reading/lost-leases.js';
import { releaseOrphans } from '../reading/orphans.js';
import { LaneRate } from '../reading/rate-limit.js';
import { ReadQuota } from '../reading/read-quota.js';
import { Retries, SUSPECT_CRASHES } from '../reading/retries.js';
import { laneKeys } from '../redis/group.js';
import { RedisHealth } from '../redis/redis-health.js';
import { RedisLink } from '../redis/redis-link.js';
import { Runner } from '../running/runner.js';
import { type BreakerReport, breakerEvent, LaneBreaker } from '../settling/breaker.js';
import type { RetryPolicy } from '../settling/outcome.js';
import type { OutcomeWriter } from '../settling/outcome-writer.js';
import { RedisOutcomeSink } from '../settling/redis-outcome-sink.js';
import { Settler } from '../settling/settler.js';
import type { TaskSpans } from '../traces/task-spans.js';
import type { LostLease, ThreadSetup } from './thread-messages.js';
import { ThreadBoard } from './thread-protocol.js';

/** How often the heartbeat is given and timeouts are looked for; sooner when there are short timeouts. */
const TICK_MS = 100;

/**
 * When this thread stood still for so long, its leases may be lost. The supervisor then gets a moment to say so: that is
 * the better reason for a signal than the time that has passed.
 */
const STOOD_STILL_MS = 1000;
const SAY_SO_MS = 500;

/**
 * What one worker thread does: it is a consumer of the group.
 *
 *   group-reader ──┐                              ┌── Done ────▶ acknowledged
 *                  ├──▶ lanes ──▶ runner ──▶ settler ── Retry ───▶ parked ──▶ retries
 *   retries ───────┘                              └── Dead ────▶ dead-letter stream
 */
export class ThreadConsumer {
  readonly #board: ThreadBoard;
  readonly #metrics: TaskMetrics;
  readonly #held: HeldEntries;
  readonly #lanes: Lanes;
  readonly #reading: RedisLink;
  readonly #commands: RedisLink;
  readonly #writer: OutcomeWriter;
  readonly #settler: Settler;
  readonly #runner: Runner;
  readonly #retries: Retries;
  readonly #reader: GroupReader;
  /** Only where the rate of some tasks is limited. */
  readonly #doorbell: Doorbell | undefined;
  readonly #handlers: ReadonlyMap<string, LoadedHandler>;
  readonly #report: ConsumerListener;
  #running: Promise<unknown> = Promise.resolve();
  #whenEmpty: (() => void) | undefined;
  #tickedAt = performance.now();
  /** No task is timed out before this time; 0 when none was set since the last look. */
  #sweepFrom = 0;

  constructor(
    setup: ThreadSetup,
    handlers: ReadonlyMap<string, LoadedHandler>,
    report: ConsumerListener,
    spans?: TaskSpans,
  ) {
    const { options, consumer } = setup;
    const { group, redisUrl } = options;
    this.#handlers = handlers;
    this.#report = report;
    this.#board = new ThreadBoard(setup.board);
    this.#held = new HeldEntries(this.#board);
    this.#lanes = lanesOf(setup, handlers);
    this.#metrics = new TaskMetrics(this.#lanes.all.length, setup.metrics);
    watchEventLoop(setup.metrics, this.#metrics.delaysOffset);
    const health = new RedisHealth(consumer, report);
    this.#reading = new RedisLink(redisUrl, `${consumer}:read`, health.watch('read'));
    this.#commands = new RedisLink(redisUrl, `${consumer}:commands`, health.watch('commands'));
    this.#writer = outcomeWriter(group, consumer, setup.broken);
    const quota = new ReadQuota(options.readBatchSize);
    const shared = {
      group,
      consumer,
      report,
      quota,
      lanes: this.#lanes,
      held: this.#held,
      board: this.#board,
      metrics: this.#metrics,
      count: (read: number) => this.#board.count('read', read),
      dispatch: () => this.#runner.dispatch(),
      giveBack: (entry: Entry) => this.#settler.giveBack(entry),
      learned: (lane: Lane, breaker: BreakerReport) => this.#learn(lane, breaker),
    };
    this.#settler = new Settler({
      sink: new RedisOutcomeSink(this.#writer, group, this.#commands, report),
      lanes: this.#lanes.all,
      held: this.#held,
      board: this.#board,
      metrics: this.#metrics,
      listener: {
        report,
        learned: shared.learned,
        parked: (lane, delayMs) => this.#retries.dueIn(lane, delayMs),
        settled: (lane, entries) => {
          this.#roomChanged(lane);
          // The next suspect of this lane may have been waiting for this one, or the next probes.
          if (entries.some((entry) => entry.crashes >= SUSPECT_CRASHES || entry.round > 0)) {
            this.#retries.dueIn(lane, 0);
          }
          if (this.#held.empty) this.#whenEmpty?.();
        },
      },
    });
    this.#runner = new Runner({
      ...shared,
      handlers,
      now: () => performance.now(),
      random: Math.random,
      spans,
      maxCrashes: options.maxCrashes,
      acknowledgeFirst: setup.broken === 'acknowledge-first',
      settle: (entry, outcome) => {
        this.#settler.settle(entry, outcome);
        this.#roomChanged(entry.lane);
      },
    });
    this.#retries = new Retries({
      ...shared,
      link: this.#commands,
      suspectOrphans: () => this.#reader.suspectOrphans(),
      looked: (lane) => this.#reader.roomChanged(lane),
      rateUsedUp: (lane) => this.#metrics.happened(lane.index, 'rateLimitWaits'),
      quiet: (lane, afterId) => this.#doorbell?.watch(lane, afterId),
    });
    this.#reader = new GroupReader({
      ...shared,
      link: this.#reading,
      leaseMs: options.leaseSeconds * 1000,
      commands: this.#commands,
      releaseOrphans: () =>
        this.#retries.between(() =>
          releaseOrphans(this.#commands, group, consumer, this.#lanes.all, this.#held, this.#writer),
        ),
    });
    if (this.#lanes.all.some((lane) => lane.rate !== undefined)) {
      const listening = new RedisLink(redisUrl, `${consumer}:doorbell`, health.watch('doorbell'));
      this.#doorbell = new Doorbell(listening, (lane) => this.#retries.dueIn(lane, 0));
    }
  }

  /** What the supervisor applies to a task that brings this thread down, by lane. */
  get policies(): RetryPolicy[] {
    return this.#lanes.all.map((lane) => handlerOf(this.#handlers, lane.keys.taskType).retryPolicy);
  }

  start(): void {
    const shortest = Math.min(...[...this.#handlers.values()].map((handler) => handler.timeoutMs));
    setInterval(
      () => {
        this.#board.beat();
        this.#board.holdsMemory(threadMemoryBytes());
        this.#noteStates();
        this.#sweep();
      },
      Math.min(TICK_MS, Math.max(10, shortest / 10)),
    );
    // Not a task is read before it is known whose breaker is open.
    const reading = this.#retries.firstLook.then(() => this.#reader.run());
    this.#running = Promise.all([this.#retries.run(), reading, this.#doorbell?.run()]);
  }

  /** Entries have been given back by someone: looks for them now rather than in a while. */
  lookForDue(): void {
    this.#retries.lookNow();
  }

  /** Others have taken these over: tells their handlers, and forgets those that have not started. */
  leasesLost(lost: readonly LostLease[]): void {
    loseLeases(lost, this.#held, this.#lanes, this.#report);
    for (const lane of this.#lanes.all) this.#roomChanged(lane);
    if (this.#held.empty) this.#whenEmpty?.();
  }

  /** Reads no more, gives back what has not started, finishes and settles what runs. */
  async stop(): Promise<void> {
    this.#reader.stop();
    this.#retries.stop();
    this.#doorbell?.stop();
    await this.#running;
    this.#giveBackWaiting(this.#lanes.all);
    this.#settler.hurry();
    if (!this.#held.empty) {
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve;
      });
    }
    this.#reading.close();
    this.#commands.close();
  }

  #noteStates(): void {
    for (const { index, running, waiting, breaker } of this.#lanes.all) {
      this.#metrics.is(index, 'running', running);
      this.#metrics.is(index, 'waiting', waiting.length);
      this.#metrics.is(index, 'breaker', BREAKER_STATES[breaker.state]);
    }
  }

  #roomChanged(lane: Lane): void {
    if (isKeptForDue(lane)) this.#retries.roomChanged(lane);
    else this.#reader.roomChanged(lane);
  }

  #sweep(): void {
    const now = performance.now();
    // Put off once, or a thread that is blocked again and again would never look.
    if (now - this.#tickedAt > STOOD_STILL_MS && this.#sweepFrom === 0) this.#sweepFrom = now + SAY_SO_MS;
    this.#tickedAt = now;
    if (now < this.#sweepFrom) return;
    this.#sweepFrom = 0;
    this.#runner.sweep();
  }

  #giveBackWaiting(lanes: readonly Lane[]): void {
    for (const entry of this.#lanes.takeWaiting(lanes)) this.#settler.giveBack(entry);
  }

  /** Acts upon what Redis says of a breaker. */
  #learn(lane: Lane, breaker: BreakerReport): void {
    const event = breakerEvent(breaker, lane.keys);
    if (event !== undefined) this.#report(event);
    if (!lane.breaker.learn(breaker)) return;
    if (lane.breaker.closed) {
      this.#reader.roomChanged(lane);
      this.#retries.dueIn(lane, 0); // what was given back
    } else {
      // What waits would keep places that others can use; it comes back when it may be started.
      this.#giveBackWaiting([lane]);
      const [, , opensInMs] = breaker;
      this.#retries.dueIn(lane, opensInMs);
    }
  }
}

/** JavaScript heap of this thread, and what its buffers hold beside it. */
function threadMemoryBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

function lanesOf(
  { options, modules, consumer, broken, ...setup }: ThreadSetup,
  handlers: ReadonlyMap<string, LoadedHandler>,
): Lanes {
  /** This thread's part of what the process may run at once. */
  const share = (total: number) =>
    Math.floor(total / setup.threads) + (setup.index < total % setup.threads ? 1 : 0);
  const keys = laneKeys(options.streamName, options.group, Object.keys(modules));
  return new Lanes(
    keys.map((one, index) => {
      const { concurrency, breaker, rateLimit } = handlerOf(handlers, one.taskType);
      return new Lane(
        index,
        keysOfThread(one, consumer, broken),
        share(concurrency),
        broken === 'start-late' ? Number.POSITIVE_INFINITY : options.leaseSeconds * 1000,
        new LaneBreaker(breaker),
        rateLimit === undefined ? undefined : new LaneRate(rateLimit),
      );
    }),
    share(options.maxConcurrentTasks),
  );
}

function handlerOf(handlers: ReadonlyMap<string, LoadedHandler>, taskType: string): LoadedHandler {
  const handler = handlers.get(taskType);
  if (handler === undefined) throw new Error(`no handler was loaded for task type "${taskType}"`);
  return handler;
}

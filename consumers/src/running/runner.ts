import type { ConsumerListener } from '@sluice/telemetry';
import { TaskTimeout } from '../handlers/errors.js';
import type { HandlerContext, Task } from '../handlers/handler.js';
import type { LoadedHandler } from '../handlers/handler-registry.js';
import type { TaskMetrics } from '../metrics/task-metrics.js';
import type { Entry } from '../reading/entry.js';
import { millisecondsOf } from '../reading/entry-id.js';
import type { HeldEntries } from '../reading/held-entries.js';
import type { Lanes } from '../reading/lanes.js';
import type { ReadQuota } from '../reading/read-quota.js';
import {
  type DeadReason,
  DONE,
  type Outcome,
  outcomeOfFailure,
  outcomeOfPoison,
} from '../settling/outcome.js';
import type { ThreadBoard } from '../thread/thread-protocol.js';
import type { TaskSpans } from '../traces/task-spans.js';
import { noteNames, Poison, type RunnableTask, readTask } from './task-reader.js';

/** How long tasks are started in one go before timers, sockets and the heartbeat get their turn. */
const SLICE_MS = 10;

/** The context of one run. The signal is made when it is asked for: most handlers never do, and it costs. */
class RunContext implements HandlerContext {
  readonly #entry: Entry;

  constructor(entry: Entry) {
    this.#entry = entry;
  }

  get signal(): AbortSignal {
    const entry = this.#entry;
    if (entry.controller === undefined) {
      entry.controller = new AbortController();
      if (entry.abortReason !== undefined) entry.controller.abort(entry.abortReason);
    }
    return entry.controller.signal;
  }
}

/** Runs handlers, and says what became of each task. */
export class Runner {
  readonly #lanes: Lanes;
  readonly #handlers: ReadonlyMap<string, LoadedHandler>;
  readonly #held: HeldEntries;
  readonly #board: ThreadBoard;
  readonly #metrics: TaskMetrics | undefined;
  readonly #quota: ReadQuota;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #maxCrashes: number;
  readonly #spans: TaskSpans | undefined;
  readonly #acknowledgeFirst: boolean;
  readonly #settle: (entry: Entry, outcome: Outcome) => void;
  readonly #giveBack: (entry: Entry) => void;
  readonly #report: ConsumerListener;
  #dispatchDue = false;
  /** What makes the time of day of `now`. */
  #wallOffset = 0;

  constructor(parts: {
    lanes: Lanes;
    handlers: ReadonlyMap<string, LoadedHandler>;
    held: HeldEntries;
    board: ThreadBoard;
    metrics?: TaskMetrics;
    quota: ReadQuota;
    /** Milliseconds of a clock that never jumps. */
    now: () => number;
    /** Chance, from 0 up to 1, for the jitter. */
    random: () => number;
    maxCrashes: number;
    /** Makes the spans of tasks. @default none are made */
    spans?: TaskSpans | undefined;
    /** Breaks the promise of at-least-once on purpose: the negative control of the tests. */
    acknowledgeFirst: boolean;
    settle: (entry: Entry, outcome: Outcome) => void;
    /** Takes an entry that comes too late to be started. */
    giveBack: (entry: Entry) => void;
    report: ConsumerListener;
  }) {
    this.#lanes = parts.lanes;
    this.#handlers = parts.handlers;
    this.#held = parts.held;
    this.#board = parts.board;
    this.#metrics = parts.metrics;
    this.#quota = parts.quota;
    this.#now = parts.now;
    this.#random = parts.random;
    this.#maxCrashes = parts.maxCrashes;
    this.#spans = parts.spans;
    this.#acknowledgeFirst = parts.acknowledgeFirst;
    this.#settle = parts.settle;
    this.#giveBack = parts.giveBack;
    this.#report = parts.report;
  }

  /** Starts what waits, as far as there is room. */
  dispatch(): void {
    const started = this.#now();
    if (this.#metrics !== undefined) this.#wallOffset = Date.now() - started;
    let now = started;
    let tasks = 0;
    while (now - started < SLICE_MS) {
      const entry = this.#lanes.next();
      if (entry === undefined) break;
      this.#start(entry, now);
      tasks += 1;
      now = this.#now();
    }
    this.#quota.observe(tasks, now - started);
    if (now - started >= SLICE_MS) this.#dispatchSoon();
  }

  /** Aborts and fails the tasks that have run out of time. Called at short intervals. */
  sweep(): void {
    const now = this.#now();
    for (const entry of this.#held) {
      if (entry.handler === undefined || entry.decided || entry.deadline > now) continue;
      const { taskId, taskType } = entry;
      const { timeoutMs } = entry.handler;
      this.#metrics?.happened(entry.lane.index, 'timeouts');
      this.#report({ type: 'task-timed-out', taskId, taskType, timeoutMs });
      const timeout = new TaskTimeout(timeoutMs);
      entry.abortReason ??= timeout; // its lease may be lost: then its handler has been told
      this.#fail(entry, timeout);
      entry.controller?.abort(entry.abortReason);
    }
  }

  #start(entry: Entry, now: number): void {
    if (now > entry.startBefore) {
      this.#lanes.finished(entry.lane);
      this.#giveBack(entry);
      return;
    }
    if (entry.crashes >= this.#maxCrashes) {
      this.#buryUnseen(entry);
      return;
    }
    let runnable: RunnableTask;
    try {
      runnable = readTask(entry, this.#handlers);
    } catch (error) {
      this.#bury(entry, error instanceof Poison ? error.reason : 'undecodable', error);
      return;
    }
    const { handler, task } = runnable;
    entry.handler = handler;
    entry.deadline = now + handler.timeoutMs;
    entry.roundOver = entry.lane.breaker.roundOver;
    this.#board.start(entry.slot, handler.timeoutMs);
    if (entry.deliveries === 1 && this.#metrics !== undefined) {
      const waited = now + this.#wallOffset - millisecondsOf(entry.id);
      this.#metrics.waited(entry.lane.index, Math.max(0, waited) / 1000); // clocks may differ
    }
    if (this.#acknowledgeFirst) this.#decide(entry, DONE);
    this.#run(entry, handler, task);
    this.#board.returned();
  }

  #run(entry: Entry, handler: LoadedHandler, task: Task): void {
    let result: unknown;
    try {
      const context = new RunContext(entry);
      result =
        this.#spans === undefined
          ? handler.run(task, context)
          : this.#spans.run(entry, () => handler.run(task, context));
      if (!isThenable(result)) {
        this.#decide(entry, DONE);
        return;
      }
      result.then(
        () => this.#decide(entry, DONE),
        (thrown: unknown) => this.#fail(entry, thrown),
      );
    } catch (thrown) {
      this.#fail(entry, thrown);
    }
  }

  #fail(entry: Entry, thrown: unknown): void {
    if (entry.decided) return;
    const { retryPolicy } = entry.handler as LoadedHandler; // set before the handler was called
    this.#decide(entry, outcomeOfFailure(thrown, entry, retryPolicy, this.#random()));
  }

  #buryUnseen(entry: Entry): void {
    try {
      noteNames(entry);
    } catch {
      // No task at all: events can only say that there was one.
    }
    this.#bury(entry, 'crashed', new Error(`its process or thread died in each of ${entry.crashes} runs`));
  }

  #bury(entry: Entry, reason: DeadReason, error: unknown): void {
    this.#decide(entry, outcomeOfPoison(reason, error, entry));
  }

  /** The first outcome counts: a handler that goes on after its time is up has no say any more. */
  #decide(entry: Entry, outcome: Outcome): void {
    if (entry.decided) return;
    entry.decided = true;
    if (this.#metrics !== undefined && entry.handler !== undefined) {
      const ranMs = this.#now() - entry.deadline + entry.handler.timeoutMs;
      this.#metrics.ran(entry.lane.index, outcome.kind === 'done', ranMs / 1000);
    }
    this.#spans?.end(entry, outcome);
    this.#lanes.finished(entry.lane);
    this.#settle(entry, outcome);
    if (this.#lanes.waiting > 0) this.#dispatchSoon();
  }

  #dispatchSoon(): void {
    if (this.#dispatchDue) return;
    this.#dispatchDue = true;
    setImmediate(() => {
      this.#dispatchDue = false;
      this.dispatch();
    });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

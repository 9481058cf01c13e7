import type { ErrorCode } from '@sluice/contract';
import type { SpanName } from '@sluice/telemetry';
import type { WriteSpan, WriteSpans } from '../traces/write-spans.js';
import { AppendBuffer } from './append-buffer.js';
import { AppendConnection } from './append-connection.js';
import { holdTime, letTimeGoOn } from './iso-now.js';
import { SCHEDULE_FULL } from './schedule.js';
import type { TaskHead } from './task-head.js';
import type { XaddEncoder } from './xadd.js';

/** Why an append did not succeed, or may not have. */
export interface AppendFailure {
  code: Extract<
    ErrorCode,
    | 'REDIS_UNAVAILABLE'
    | 'APPEND_REFUSED'
    | 'APPEND_UNCONFIRMED'
    | 'OVERLOADED'
    | 'ACK_LEVEL_UNAVAILABLE'
    | 'ACK_LEVEL_NOT_REACHED'
  >;
  /** What Redis or the connection said. For logs, not for clients. */
  reason: string;
}

/** Whoever waits for an append; exactly one of its methods is called, once. */
export interface AppendWaiter {
  /**
   * @param dueAt when the task is due, in Unix milliseconds, if it was stored for later
   * @param known with an idempotency key that was used before, what Redis holds of its task; nothing was appended then
   */
  onAppended(dueAt: number | undefined, known: string | undefined): void;
  onAppendFailed(failure: AppendFailure): void;
}

/** Whoever waits for many appends at once; hears of each exactly once, in the order in which they were handed in. */
export interface RunWaiter {
  /** The span of its request, where there are spans. */
  readonly spanName?: SpanName | undefined;
  /** @param dueAt when the task is due, if it was stored for later; then `count` is 1 */
  onNextAppended(count: number, dueAt: number | undefined): void;
  onNextFailed(count: number, failure: AppendFailure): void;
}

/** A way to Redis. */
export interface Appender {
  /** Takes a task, and tells it what became of it. The payload is copied before this returns. */
  append(encode: XaddEncoder, task: TaskHead & AppendWaiter, timestamp: string, payload: Uint8Array): void;
  /** Like {@link append}, for one of many tasks of the same waiter, which describes only the one that is handed in now. */
  appendOneOf(encode: XaddEncoder, tasks: TaskHead & RunWaiter, timestamp: string, payload: Uint8Array): void;
  /**
   * Takes back all that was handed in for a waiter, so many tasks. Returns whether that could be done: nothing of it has
   * left the process, and nothing else was handed in since. Its waiter is told nothing more then.
   */
  takeBack(waiter: AppendWaiter | RunWaiter, count: number): boolean;
}

export interface BatcherOptions {
  redisUrl: string;
  appendTimeoutMs: number;
  onUp: () => void;
  onDown: (reason: string) => void;
  /** A batch of this many tasks was written. */
  onBatch: (size: number) => void;
  /** Makes a span of each write. @default none are made */
  spans?: WriteSpans | undefined;
}

/** Tasks of one write that follow one another, and either have a waiter each, or all the same. */
interface Run {
  readonly waiters: AppendWaiter[];
  readonly waiter: RunWaiter | undefined;
  size: number;
  /** How many of them have their reply. */
  settled: number;
  /** The span of the write, once it is made. */
  span: WriteSpan | undefined;
}

function newRun(waiter: RunWaiter | undefined): Run {
  return { waiters: [], waiter, size: 0, settled: 0, span: undefined };
}

function isEmpty(run: Run): boolean {
  return run.size === 0;
}

/**
 * Collects the tasks of one turn of the event loop, writes them to Redis at once, and tells each waiter what
 * became of *its* append: a batch can succeed in part.
 *
 * ```
 *  append() ─▶ filling runs ──setImmediate──▶ one write ──▶ sent runs (oldest first) ──replies──▶ waiters
 * ```
 *
 * Between calls: every task handed in is in exactly one run, or its waiter has been told. Sent runs hold, in
 * order, exactly the tasks whose replies are due; only the last of the filling runs grows. Memory is bounded by admission, which counts the requests
 * and bytes of all that is here. What was handed in last can be taken back until it is written. When the connection breaks, all that was sent is unconfirmed: Redis may or
 * may not have it, and nothing is sent twice.
 */
export class Batcher implements Appender {
  private readonly connection: AppendConnection;
  private readonly buffer = new AppendBuffer();
  private readonly sent: Run[] = [];
  private last = newRun(undefined);
  private filling = [this.last];
  private flushing = false;
  /** Number of the next write, for its span. */
  private number = 0;
  private readonly flush = (): void => this.write();

  constructor(private readonly options: BatcherOptions) {
    this.number = options.spans?.next() ?? 0;
    this.connection = new AppendConnection({
      redisUrl: options.redisUrl,
      timeoutMs: options.appendTimeoutMs,
      onReplies: (count, error, integer, status) => this.settle(count, error, integer, status),
      onUp: options.onUp,
      onDown: (reason) => {
        this.failSent(reason);
        options.onDown(reason);
      },
    });
  }

  get isUp(): boolean {
    return this.connection.isUp;
  }

  /** Tasks whose waiters have not been told yet. */
  get pending(): number {
    let count = 0;
    for (const run of this.filling) count += run.size;
    for (const run of this.sent) count += run.size - run.settled;
    return count;
  }

  open(): void {
    this.connection.open();
  }

  close(): void {
    this.connection.close();
    this.failSent('the engine is shutting down');
  }

  /** Adds a task to the batch of this turn. The payload is copied before this returns. Only while {@link isUp}. */
  append(encode: XaddEncoder, task: TaskHead & AppendWaiter, timestamp: string, payload: Uint8Array): void {
    this.buffer.mark();
    encode(this.buffer, task, timestamp, payload);
    if (this.last.waiter !== undefined) this.startRun(undefined);
    this.last.waiters.push(task);
    this.last.size++;
    this.flushSoon();
  }

  appendOneOf(
    encode: XaddEncoder,
    tasks: TaskHead & RunWaiter,
    timestamp: string,
    payload: Uint8Array,
  ): void {
    if (this.last.waiter !== tasks) {
      this.startRun(tasks);
      this.buffer.mark();
    }
    encode(this.buffer, tasks, timestamp, payload);
    this.last.size++;
    this.flushSoon();
  }

  takeBack(waiter: AppendWaiter | RunWaiter, count: number): boolean {
    const { last } = this;
    const isLast =
      last.waiter === undefined
        ? last.waiters[last.size - 1] === waiter && count === 1
        : last.waiter === waiter && count === last.size;
    if (!isLast || !this.buffer.backToMark()) return false;
    last.size -= count;
    if (last.waiter === undefined) last.waiters.pop();
    return true;
  }

  /** Between these two, requests that end are part of the write that is filled now. */
  enterWrite(): void {
    this.options.spans?.enter(this.number);
  }

  leaveWrite(): void {
    this.options.spans?.leave();
  }

  private startRun(waiter: RunWaiter | undefined): void {
    this.last = newRun(waiter);
    this.filling.push(this.last);
  }

  private flushSoon(): void {
    if (this.flushing) return;
    this.flushing = true;
    holdTime();
    setImmediate(this.flush);
  }

  private write(): void {
    this.flushing = false;
    letTimeGoOn();
    const runs = this.filling;
    this.last = newRun(undefined);
    this.filling = [this.last];
    const { chunks, release } = this.buffer.take();
    if (runs.every(isEmpty)) {
      release(); // all was taken back
      return;
    }
    if (!this.connection.isUp) {
      release();
      // Lost between append() and now: nothing of this has left the process.
      for (const run of runs) {
        failRun(run, { code: 'REDIS_UNAVAILABLE', reason: 'the connection to Redis is down' });
      }
      return;
    }
    let size = 0;
    for (const run of runs) {
      if (!isEmpty(run)) this.sent.push(run); // else it began the turn, and a run of many came first
      size += run.size;
    }
    const { spans } = this.options;
    if (spans !== undefined) this.trace(spans, runs, size);
    this.connection.send(chunks, size, release);
    this.options.onBatch(size);
  }

  /** Makes the span of a write. */
  private trace(spans: WriteSpans, runs: readonly Run[], size: number): void {
    const span = spans.begin(this.number, size);
    this.number = spans.next();
    for (const run of runs) {
      run.span = span;
      const request = run.waiter?.spanName;
      if (request !== undefined && !isEmpty(run)) span.link(request);
    }
  }

  private settle(
    count: number,
    error: string | undefined,
    integer: number | undefined,
    status: string | undefined,
  ): void {
    let left = count;
    while (left > 0) {
      const run = this.sent[0];
      if (run === undefined) {
        // A reply nobody waits for: the order is lost, and with it the knowledge of whose reply is whose.
        this.connection.reconnect('Redis sent a reply that was not due');
        return;
      }
      const settled = run.waiter === undefined ? 1 : Math.min(left, run.size - run.settled);
      const waiter = run.waiters[run.settled];
      run.settled += settled;
      left -= settled;
      if (run.settled === run.size) this.sent.shift();
      run.span?.enter();
      if (run.waiter !== undefined) {
        if (error === undefined) run.waiter.onNextAppended(settled, integer);
        else run.waiter.onNextFailed(settled, refusalOf(error));
      } else if (error === undefined) waiter?.onAppended(integer, status);
      else waiter?.onAppendFailed(refusalOf(error));
      run.span?.leave(settled, error !== undefined);
    }
    if (error?.startsWith('READONLY')) this.connection.reconnect(error);
  }

  private failSent(reason: string): void {
    for (const run of this.sent.splice(0)) failRun(run, { code: 'APPEND_UNCONFIRMED', reason });
  }
}

/** What an error reply means for the task it answers. */
export function refusalOf(reason: string): AppendFailure {
  return { code: reason.startsWith(SCHEDULE_FULL) ? 'OVERLOADED' : 'APPEND_REFUSED', reason };
}

/** Tells of all in a run that have no reply yet. */
function failRun(run: Run, failure: AppendFailure): void {
  run.span?.enter();
  if (run.waiter !== undefined) run.waiter.onNextFailed(run.size - run.settled, failure);
  else for (let i = run.settled; i < run.size; i++) run.waiters[i]?.onAppendFailed(failure);
  run.span?.leave(run.size - run.settled, true);
}

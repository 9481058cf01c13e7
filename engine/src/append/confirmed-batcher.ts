import { encodeCommand } from '@sluice/contract';
import type { WriteSpan, WriteSpans } from '../traces/write-spans.js';
import { AppendBuffer } from './append-buffer.js';
import { AppendConnection } from './append-connection.js';
import {
  type Appender,
  type AppendFailure,
  type AppendWaiter,
  type RunWaiter,
  refusalOf,
} from './batcher.js';
import type { LevelProbe } from './level-probe.js';
import type { TaskHead } from './task-head.js';
import type { XaddEncoder } from './xadd.js';

export interface ConfirmedBatcherOptions {
  redisUrl: string;
  appendTimeoutMs: number;
  /** How long the confirmation may take besides. */
  ackTimeoutMs: number;
  /** The command whose reply says how far what was written before it has come; it answers within `ackTimeoutMs`. */
  confirm: readonly (string | number)[];
  /** The number it has to answer with, at least. */
  needed: number;
  probe: LevelProbe;
  /** A batch of this many tasks was written. */
  onBatch: (size: number) => void;
  /** Makes a span of each write. */
  spans: WriteSpans | undefined;
}

/** What Redis said to one command. */
interface Reply {
  readonly error: string | undefined;
  readonly integer: number | undefined;
  readonly status: string | undefined;
}

interface SentBatch {
  readonly waiters: readonly (AppendWaiter | RunWaiter)[];
  readonly replies: Reply[];
  readonly span: WriteSpan | undefined;
}

/**
 * Appends tasks like a `Batcher`, and tells their waiters only once a confirmation that stands behind them in the same
 * write says that they have come as far as was asked for: to replicas, or to the disk.
 *
 * ```
 *  append() ─▶ held ──connected, no obstacle, nothing sent──▶ [tasks … WAIT] ──all replies──▶ waiters
 *     ▲                                                                                          │
 *     └──────────────────────────── meanwhile the next are held ◀────────────────────────────────┘
 * ```
 *
 * Redis reads nothing from a connection that waits: so each level has its own, opened by the first task that asks for it
 * and kept, and one batch at a time is on it. Between calls: every waiter is held, or sent, or has been told. Held tasks
 * have not left the process. None is held for longer than a batch takes at most, then it is refused; memory is
 * bounded by admission.
 */
export class ConfirmedBatcher implements Appender {
  private readonly buffer = new AppendBuffer();
  private readonly confirm: string;
  private readonly timeoutMs: number;
  private connection: AppendConnection | undefined;
  private held: (AppendWaiter | RunWaiter)[] = [];
  private heldTimer: NodeJS.Timeout | undefined;
  private sent: SentBatch | undefined;
  private flushing = false;
  private readonly flush = (): void => {
    this.flushing = false;
    this.sendHeld();
  };

  constructor(private readonly options: ConfirmedBatcherOptions) {
    this.confirm = encodeCommand(options.confirm);
    this.timeoutMs = options.appendTimeoutMs + options.ackTimeoutMs;
    options.probe.onLooked = () => this.sendHeld();
  }

  /** Tasks whose waiters have not been told yet. */
  get pending(): number {
    return this.held.length + (this.sent?.waiters.length ?? 0);
  }

  append(encode: XaddEncoder, task: TaskHead & AppendWaiter, timestamp: string, payload: Uint8Array): void {
    this.buffer.mark();
    encode(this.buffer, task, timestamp, payload);
    this.hold(task);
  }

  appendOneOf(
    encode: XaddEncoder,
    tasks: TaskHead & RunWaiter,
    timestamp: string,
    payload: Uint8Array,
  ): void {
    if (this.held.at(-1) !== tasks) this.buffer.mark();
    encode(this.buffer, tasks, timestamp, payload);
    this.hold(tasks);
  }

  takeBack(waiter: AppendWaiter | RunWaiter, count: number): boolean {
    const from = this.held.length - count;
    const isLast = from >= 0 && this.held.slice(from).every((one) => one === waiter);
    if (!isLast || !this.buffer.backToMark()) return false;
    if (from === 0) this.takeHeld();
    else this.held.length = from;
    return true;
  }

  close(): void {
    this.options.probe.stop();
    this.connection?.close();
    const reason = 'the engine is shutting down';
    this.failHeld({ code: 'REDIS_UNAVAILABLE', reason });
    this.failSent(reason);
  }

  private hold(waiter: AppendWaiter | RunWaiter): void {
    this.held.push(waiter);
    this.heldTimer ??= setTimeout(() => {
      this.failHeld({ code: 'REDIS_UNAVAILABLE', reason: 'no connection to Redis for this level' });
    }, this.timeoutMs);
    this.options.probe.use();
    this.connection ??= this.connect();
    if (this.flushing) return;
    this.flushing = true;
    setImmediate(this.flush);
  }

  private connect(): AppendConnection {
    const connection = new AppendConnection({
      redisUrl: this.options.redisUrl,
      timeoutMs: this.timeoutMs,
      onReplies: (count, error, integer, status) => {
        for (let i = 0; i < count; i++) this.receive({ error, integer, status });
      },
      onUp: () => this.options.probe.forget(), // and look again: it tells us
      onDown: (reason) => this.failSent(reason),
    });
    connection.open();
    return connection;
  }

  /** Sends what is held, if it is time; whatever is missing calls this again when it is there. */
  private sendHeld(): void {
    const { connection } = this;
    const { probe, onBatch, spans } = this.options;
    if (this.held.length === 0 || this.sent !== undefined || connection?.isUp !== true || !probe.isKnown)
      return;
    if (probe.obstacle !== undefined) {
      this.failHeld({ code: 'ACK_LEVEL_UNAVAILABLE', reason: probe.obstacle });
      return;
    }
    this.buffer.text(this.confirm);
    const { chunks, release } = this.buffer.take();
    const waiters = this.takeHeld();
    const span = spans?.begin(spans.next(), waiters.length);
    this.sent = { waiters, replies: [], span };
    if (span !== undefined) linkRuns(span, waiters);
    connection.send(chunks, waiters.length + 1, release);
    onBatch(waiters.length);
  }

  private receive(reply: Reply): void {
    const { sent } = this;
    if (sent === undefined) {
      this.connection?.reconnect('Redis sent a reply that was not due');
      return;
    }
    sent.replies.push(reply);
    if (sent.replies.length <= sent.waiters.length) return;
    this.sent = undefined;
    const isReached = reply.error === undefined && (reply.integer ?? 0) >= this.options.needed;
    tell(sent, isReached ? undefined : (reply.error ?? `Redis confirmed ${reply.integer ?? 'nothing'}`));
    const readOnly = sent.replies.find(({ error }) => error?.startsWith('READONLY'))?.error;
    if (readOnly !== undefined) this.connection?.reconnect(readOnly);
    this.sendHeld();
  }

  private failSent(reason: string): void {
    const { sent } = this;
    this.sent = undefined;
    if (sent !== undefined) tell(sent, reason);
  }

  private failHeld(failure: AppendFailure): void {
    this.buffer.take().release();
    for (const waiter of this.takeHeld()) fail(waiter, failure);
  }

  private takeHeld(): (AppendWaiter | RunWaiter)[] {
    clearTimeout(this.heldTimer);
    this.heldTimer = undefined;
    const { held } = this;
    this.held = [];
    return held;
  }
}

/** Links a write to each request that has many tasks in it. */
function linkRuns(span: WriteSpan, waiters: readonly (AppendWaiter | RunWaiter)[]): void {
  for (const waiter of new Set(waiters)) {
    if ('onNextAppended' in waiter && waiter.spanName !== undefined) span.link(waiter.spanName);
  }
}

/** Tells each waiter what became of its task; `shortfall` is why the level was not reached, undefined if it was. */
function tell({ waiters, replies, span }: SentBatch, shortfall: string | undefined): void {
  for (const [i, waiter] of waiters.entries()) {
    const reply = replies[i];
    const failure = failureOf(reply, shortfall);
    span?.enter();
    if (failure !== undefined) fail(waiter, failure);
    else if ('onNextAppended' in waiter) waiter.onNextAppended(1, reply?.integer);
    else waiter.onAppended(reply?.integer, reply?.status);
    span?.leave(1, failure !== undefined);
  }
}

function failureOf(reply: Reply | undefined, shortfall: string | undefined): AppendFailure | undefined {
  if (reply === undefined) return { code: 'APPEND_UNCONFIRMED', reason: shortfall ?? '' };
  if (reply.error !== undefined) return refusalOf(reply.error);
  return shortfall === undefined ? undefined : { code: 'ACK_LEVEL_NOT_REACHED', reason: shortfall };
}

function fail(waiter: AppendWaiter | RunWaiter, failure: AppendFailure): void {
  if ('onNextFailed' in waiter) waiter.onNextFailed(1, failure);
  else waiter.onAppendFailed(failure);
}

import type { ErrorCode } from '@sluice/contract';
import { AppendBuffer } from './append-buffer.js';
import { AppendConnection } from './append-connection.js';
import { SCHEDULE_FULL } from './schedule.js';
import type { TaskHead, XaddEncoder } from './xadd.js';

/** Why an append did not succeed, or may not have. */
export interface AppendFailure {
  code: Extract<ErrorCode, 'REDIS_UNAVAILABLE' | 'APPEND_REFUSED' | 'APPEND_UNCONFIRMED' | 'OVERLOADED'>;
  /** What Redis or the connection said. For logs, not for clients. */
  reason: string;
}

/** Whoever waits for an append; exactly one of its methods is called, once. */
export interface AppendWaiter {
  /** @param dueAt when the task is due, in Unix milliseconds, if it was stored for later */
  onAppended(dueAt: number | undefined): void;
  onAppendFailed(failure: AppendFailure): void;
}

export interface BatcherOptions {
  redisUrl: string;
  appendTimeoutMs: number;
  onUp: () => void;
  onDown: (reason: string) => void;
  /** A batch of this many tasks was written. */
  onBatch: (size: number) => void;
}

interface Batch {
  readonly waiters: AppendWaiter[];
  /** How many of them have their reply. */
  settled: number;
}

/**
 * Collects the tasks of one turn of the event loop, writes them to Redis at once, and tells each waiter what
 * became of *its* append: a batch can succeed in part.
 *
 * ```
 *  append() ─▶ filling batch ──setImmediate──▶ one write ──▶ sent batches (oldest first) ──replies──▶ waiters
 * ```
 *
 * Between calls: every waiter handed in is in exactly one batch, or has been told. Sent batches hold, in
 * order, exactly the tasks whose replies are due. Memory is bounded by admission, which counts the requests
 * and bytes of all that is here. When the connection breaks, all that was sent is unconfirmed: Redis may or
 * may not have it, and nothing is sent twice.
 */
export class Batcher {
  private readonly connection: AppendConnection;
  private readonly buffer = new AppendBuffer();
  private readonly sent: Batch[] = [];
  private filling: Batch = { waiters: [], settled: 0 };
  private flushing = false;
  private readonly flush = (): void => this.write();

  constructor(private readonly options: BatcherOptions) {
    this.connection = new AppendConnection({
      redisUrl: options.redisUrl,
      timeoutMs: options.appendTimeoutMs,
      onReply: (error, integer) => this.settleNext(error, integer),
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
    let count = this.filling.waiters.length;
    for (const batch of this.sent) count += batch.waiters.length - batch.settled;
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
    encode(this.buffer, task, timestamp, payload);
    this.filling.waiters.push(task);
    if (!this.flushing) {
      this.flushing = true;
      setImmediate(this.flush);
    }
  }

  private write(): void {
    this.flushing = false;
    const batch = this.filling;
    this.filling = { waiters: [], settled: 0 };
    const { chunks, release } = this.buffer.take();
    if (!this.connection.isUp) {
      release();
      // Lost between append() and now: nothing of this batch has left the process.
      for (const waiter of batch.waiters) {
        waiter.onAppendFailed({ code: 'REDIS_UNAVAILABLE', reason: 'the connection to Redis is down' });
      }
      return;
    }
    this.sent.push(batch);
    this.connection.send(chunks, batch.waiters.length, release);
    this.options.onBatch(batch.waiters.length);
  }

  private settleNext(error: string | undefined, integer: number | undefined): void {
    const batch = this.sent[0];
    const waiter = batch?.waiters[batch.settled];
    if (batch === undefined || waiter === undefined) {
      // A reply nobody waits for: the order is lost, and with it the knowledge of whose reply is whose.
      this.connection.reconnect('Redis sent a reply that was not due');
      return;
    }
    batch.settled++;
    if (batch.settled === batch.waiters.length) this.sent.shift();
    if (error === undefined) {
      waiter.onAppended(integer);
      return;
    }
    const code = error.startsWith(SCHEDULE_FULL) ? 'OVERLOADED' : 'APPEND_REFUSED';
    waiter.onAppendFailed({ code, reason: error });
    if (error.startsWith('READONLY')) this.connection.reconnect(error);
  }

  private failSent(reason: string): void {
    for (const batch of this.sent.splice(0)) {
      for (let i = batch.settled; i < batch.waiters.length; i++) {
        batch.waiters[i]?.onAppendFailed({ code: 'APPEND_UNCONFIRMED', reason });
      }
    }
  }
}

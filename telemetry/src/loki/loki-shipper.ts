import { Worker } from 'node:worker_threads';
import type { FromLokiThread, LokiLimits, LokiSetup, ToLokiThread } from './loki-messages.js';

const LIMITS: LokiLimits = {
  mostLines: 10_000,
  mostBytes: 8 * 1024 * 1024,
  pushTimeoutMs: 10_000,
  collectMs: 1000,
  firstBackOffMs: 500,
  lastBackOffMs: 30_000,
};

/** MiB of heap; what waits is bounded far below. */
const THREAD_HEAP_MB = 64;
/** How long no other thread is started after one that died. */
const RESPAWN_AFTER_MS = 60_000;

export interface LokiShipperOptions {
  endpoint: string;
  labels: Readonly<Record<string, string>>;
  /** Told why a push failed or why lines were dropped: as often as it happens. */
  onTrouble: (reason: string) => void;
  /** @default those above */
  limits?: Partial<LokiLimits>;
}

/** Lines since the start. */
export interface LokiCounters {
  /** Loki has them. */
  shipped: number;
  /** It has not, and will not: there were too many, or it refused them. */
  dropped: number;
  /** On their way. */
  waiting: number;
}

/**
 * Ships log lines to Loki from a thread. A call costs one message to that thread, never waits, and what may wait is
 * bounded here, before it gets there: with Loki away, further lines are dropped and counted.
 */
export class LokiShipper {
  readonly counters: LokiCounters = { shipped: 0, dropped: 0, waiting: 0 };
  readonly #setup: LokiSetup;
  readonly #onTrouble: (reason: string) => void;
  #thread: Worker | undefined;
  #threadDiedAt = Number.NEGATIVE_INFINITY;
  #waitingBytes = 0;
  #closed: Promise<void> | undefined;

  constructor({ endpoint, labels, onTrouble, limits }: LokiShipperOptions) {
    this.#setup = { endpoint, labels, limits: { ...LIMITS, ...limits } };
    this.#onTrouble = onTrouble;
    this.#thread = this.#newThread();
  }

  write(line: string): void {
    const { counters } = this;
    if (this.#closed !== undefined) {
      counters.dropped += 1;
      return;
    }
    const bytes = Buffer.byteLength(line);
    const { mostLines, mostBytes } = this.#setup.limits;
    const full = counters.waiting >= mostLines || this.#waitingBytes + bytes > mostBytes;
    const thread = full ? undefined : this.#liveThread();
    if (thread === undefined) {
      counters.dropped += 1;
      this.#onTrouble(full ? 'too many lines wait' : 'the shipping thread has died');
      return;
    }
    counters.waiting += 1;
    this.#waitingBytes += bytes;
    tell(thread, { type: 'line', line });
  }

  /** Ships what is left, for so long at most; the rest counts as dropped. No line is taken any more. */
  close(withinMs: number): Promise<void> {
    this.#closed ??= this.#end(withinMs);
    return this.#closed;
  }

  async #end(withinMs: number): Promise<void> {
    const thread = this.#thread;
    if (thread !== undefined) {
      const ended = new Promise((resolve) => thread.once('exit', resolve));
      thread.ref(); // it did not keep the process alive, and now has to
      tell(thread, { type: 'close', withinMs });
      // The thread ends by itself in time, unless it is the thread that is stuck.
      const limit = setTimeout(() => void thread.terminate(), withinMs + 500);
      await ended;
      clearTimeout(limit);
    }
    this.#dropWaiting();
  }

  #liveThread(): Worker | undefined {
    if (this.#thread === undefined && performance.now() - this.#threadDiedAt >= RESPAWN_AFTER_MS) {
      this.#thread = this.#newThread();
    }
    return this.#thread;
  }

  #newThread(): Worker {
    const thread = new Worker(new URL('./loki-thread.js', import.meta.url), {
      name: 'sluice-loki',
      workerData: this.#setup,
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
    });
    thread.unref();
    thread.on('message', (message: FromLokiThread) => this.#hear(message));
    thread.on('error', () => {}); // its exit says the same
    thread.on('exit', () => {
      if (this.#closed !== undefined) return;
      this.#thread = undefined;
      this.#threadDiedAt = performance.now();
      this.#dropWaiting();
      this.#onTrouble('the shipping thread has died');
    });
    return thread;
  }

  #hear(message: FromLokiThread): void {
    const { counters } = this;
    switch (message.type) {
      case 'settled':
        counters.waiting -= message.lines;
        this.#waitingBytes -= message.bytes;
        counters.dropped += message.refused;
        counters.shipped += message.lines - message.refused;
        return;
      case 'failed':
        this.#onTrouble(message.reason);
        return;
      case 'closed':
        return;
    }
  }

  #dropWaiting(): void {
    this.counters.dropped += this.counters.waiting;
    this.counters.waiting = 0;
    this.#waitingBytes = 0;
  }
}

function tell(thread: Worker, message: ToLokiThread): void {
  thread.postMessage(message);
}

import { setTimeout as pause } from 'node:timers/promises';
import type { ConsumerCounters, ConsumerListener, RingMemory } from '@sluice/telemetry';
import type { Broken } from '../broken.js';
import { TaskMetrics } from '../metrics/task-metrics.js';
import type { ResolvedOptions } from '../options.js';
import { threadConsumer } from '../redis/group.js';
import { newBoard } from '../thread/thread-protocol.js';
import type { End } from './aftermath.js';
import type { SettledForThread } from './aftermath-writer.js';
import { RespawnPolicy } from './respawn.js';
import { ThreadWatch } from './thread-watch.js';
import { WorkerThread } from './worker-thread.js';

/** Slots beyond what may run at once, for tasks whose outcome is on its way to Redis. */
const SETTLING_SLOTS = 1024;

/** How often the threads are looked at. */
const WATCH_MS = 250;

/** What the threads of a pool are made from. */
export interface PoolPlan {
  /** Where each thread writes down what it ran; undefined: tasks are not traced. */
  readonly rings: readonly RingMemory[] | undefined;
  readonly options: ResolvedOptions;
  readonly threads: number;
  readonly processName: string;
  /** URL of the handler module by task type. */
  readonly modules: Readonly<Record<string, string>>;
  readonly broken: Broken | undefined;
}

/** What a pool asks of its owner. */
export interface PoolListener {
  report: ConsumerListener;
  /** Settles what a thread held that has ended. Its place is not filled again before. */
  ended(thread: WorkerThread, end: End): Promise<SettledForThread>;
  /** Threads keep dying while nothing runs; this one will not be replaced. */
  gaveUp(detail: string): void;
}

/** How a thread ends that is to be replaced. */
type Ended = Exclude<End, { kind: 'stopped' }>;

/** How long a thread may take to load its handlers; until then it gives no sign of life. */
const LOAD_MS = 60_000;

/** A place in the pool. Its thread changes when it has to be replaced. */
interface Seat {
  readonly index: number;
  thread: WorkerThread;
  watch: ThreadWatch;
  /** Set when the thread is terminated on purpose. */
  silentMs: number | undefined;
  /** Its thread has ended, and its counters are among those of the past. */
  counted: boolean;
}

/** A fixed number of worker threads. One that hangs or dies is replaced. */
export class ThreadPool {
  readonly #plan: PoolPlan;
  readonly #listener: PoolListener;
  readonly #respawn = new RespawnPolicy();
  readonly #past = { read: 0, done: 0, retried: 0, dead: 0, fenced: 0 };
  readonly #pastMetrics: TaskMetrics;
  #seats: Seat[] = [];
  #watching: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(plan: PoolPlan, listener: PoolListener) {
    this.#plan = plan;
    this.#listener = listener;
    this.#pastMetrics = new TaskMetrics(Object.keys(plan.modules).length);
  }

  /** The threads that are alive, or were when they were last looked at. */
  get threads(): WorkerThread[] {
    return this.#seats.map((seat) => seat.thread);
  }

  /** Summed over all threads, those that were replaced included. */
  get counters(): ConsumerCounters {
    const sum: ConsumerCounters = { ...this.#past, running: 0 };
    for (const { thread, counted } of this.#seats) {
      if (counted) continue;
      const one = thread.board.counters();
      for (const key of Object.keys(sum) as (keyof ConsumerCounters)[]) sum[key] += one[key]; // its own keys
    }
    return sum;
  }

  /** What all threads have counted, and those that were replaced. */
  get metrics(): readonly TaskMetrics[] {
    const alive = this.#seats.filter(({ counted }) => !counted);
    return [this.#pastMetrics, ...alive.map(({ thread }) => thread.metrics)];
  }

  /**
   * Starts all threads.
   *
   * @throws SluiceError `HANDLER_MODULE` when the handlers do not load; no thread is left then.
   */
  async start(): Promise<void> {
    this.#seats = Array.from({ length: this.#plan.threads }, (_, index) => ({
      index,
      thread: this.#newThread(index),
      watch: new ThreadWatch(),
      silentMs: undefined,
      counted: false,
    }));
    try {
      await Promise.all(this.threads.map((thread) => thread.ready));
    } catch (error) {
      this.#closing = true;
      await Promise.all(this.threads.map((thread) => thread.terminate()));
      throw error;
    }
    for (const seat of this.#seats) this.#mourn(seat);
    let last = performance.now();
    this.#watching = setInterval(() => {
      const now = performance.now();
      this.#watch(Math.min(now - last, 2 * WATCH_MS));
      last = now;
    }, WATCH_MS);
  }

  /** Has all threads look for entries that are due. */
  look(): void {
    for (const thread of this.threads) thread.look();
  }

  /**
   * Has all threads finish, and ends those that have not within the time.
   *
   * @returns the threads that had to be ended; they may still hold tasks
   */
  async stop(withinMs: number): Promise<WorkerThread[]> {
    this.#closing = true;
    clearInterval(this.#watching);
    const unfinished = new Set(this.threads);
    const finished = this.threads.map(async (thread) => {
      thread.stop();
      await thread.stopped;
      unfinished.delete(thread);
    });
    const timeout = new AbortController();
    await Promise.race([
      Promise.all(finished),
      pause(withinMs, undefined, { signal: timeout.signal }).catch(() => undefined),
    ]);
    timeout.abort();
    const cutOff = [...unfinished]; // now: terminating makes them count as stopped
    await Promise.all(this.threads.map((thread) => thread.terminate()));
    return cutOff;
  }

  #newThread(index: number): WorkerThread {
    const { options, processName, rings, ...plan } = this.#plan;
    const capacity = Math.ceil(options.maxConcurrentTasks / plan.threads) + SETTLING_SLOTS;
    return new WorkerThread(
      {
        ...plan,
        options,
        index,
        consumer: threadConsumer(processName, index),
        board: newBoard(capacity),
        metrics: new TaskMetrics(this.#pastMetrics.lanes).memory,
        spans: rings?.[index],
      },
      this.#listener.report,
    );
  }

  /** Terminates threads that stand still. */
  #watch(sinceLastMs: number): void {
    const timeoutMs = this.#plan.options.taskTimeoutSeconds * 1000;
    for (const seat of this.#seats) {
      const { board, policies } = seat.thread;
      const longestMs = policies.length > 0 ? timeoutMs : LOAD_MS;
      const silentMs = seat.watch.look(board.heartbeat, sinceLastMs, () => board.held(), longestMs);
      if (silentMs === undefined || seat.silentMs !== undefined) continue;
      seat.silentMs = silentMs;
      void seat.thread.terminate();
    }
  }

  /** Waits for the end of a thread, sees to what it held, and fills its place. */
  #mourn(seat: Seat): void {
    void this.#afterEnd(seat);
  }

  async #afterEnd(seat: Seat): Promise<void> {
    const { thread } = seat;
    const detail = await thread.ended;
    if (this.#closing) return;
    const end: Ended =
      seat.silentMs === undefined ? { kind: 'died', detail } : { kind: 'hung', silentMs: seat.silentMs };
    const held = thread.board.held().length;
    const delayMs = this.#respawn.afterDeath({ livedMs: performance.now() - thread.bornAt, held });
    const settled = await this.#seeTo(seat, end, detail, held);
    const { read, done, retried, dead, fenced } = thread.board.counters();
    this.#past.read += read;
    this.#past.done += done + (settled?.done ?? 0);
    this.#past.retried += retried + (settled?.retried ?? 0);
    this.#past.dead += dead + (settled?.dead ?? 0);
    this.#past.fenced += fenced + (settled?.fenced ?? 0);
    this.#pastMetrics.addAll(thread.metrics);
    this.#pastMetrics.forgetStates();
    seat.counted = true;
    if (delayMs === undefined) {
      this.#listener.gaveUp(detail);
      return;
    }
    await pause(delayMs);
    if (this.#closing) return;
    seat.thread = this.#newThread(seat.index);
    seat.watch = new ThreadWatch();
    seat.silentMs = undefined;
    seat.counted = false;
    this.#mourn(seat);
  }

  /**
   * Says that a thread has ended, and settles what it held. Whatever fails here, the place is filled again: a consumer
   * that lost one thread after the other would end up doing nothing. What was not settled runs again, by its lease.
   */
  async #seeTo(seat: Seat, end: Ended, detail: string, held: number): Promise<SettledForThread | undefined> {
    const { report, ended } = this.#listener;
    try {
      report({
        type: 'thread-replaced',
        thread: seat.index,
        reason: end.kind,
        detail: end.kind === 'hung' ? `silent for ${Math.round(end.silentMs)} ms` : detail,
        held,
      });
      return await ended(seat.thread, end);
    } catch (error) {
      report({ type: 'internal-error', where: 'thread-pool', error });
      return undefined;
    }
  }
}

import { Worker } from 'node:worker_threads';
import { SluiceError } from '@sluice/contract';
import type { ConsumerListener } from '@sluice/telemetry';
import { TaskMetrics } from '../metrics/task-metrics.js';
import type { RetryPolicy } from '../settling/outcome.js';
import { receivedError } from '../thread/sent-error.js';
import type { FromThread, LostLease, ThreadSetup, ToThread } from '../thread/thread-messages.js';
import { BoardView } from '../thread/thread-protocol.js';

/** A worker thread, seen from the supervisor. */
export class WorkerThread {
  readonly consumer: string;
  readonly index: number;
  readonly board: BoardView;
  readonly metrics: TaskMetrics;
  readonly bornAt = performance.now();
  /** Resolves when the thread reads; rejects when its handlers do not load or it dies before. */
  readonly ready: Promise<void>;
  /** Resolves when the thread holds nothing any more, after `stop`, or has ended. */
  readonly stopped: Promise<void>;
  /** Resolves with the reason when the thread has ended, for whatever reason. */
  readonly ended: Promise<string>;
  /** By lane; empty until it is ready. */
  policies: readonly RetryPolicy[] = [];
  readonly #worker: Worker;

  constructor(setup: ThreadSetup, report: ConsumerListener) {
    this.consumer = setup.consumer;
    this.index = setup.index;
    this.board = new BoardView(setup.board);
    this.metrics = new TaskMetrics(Object.keys(setup.modules).length, setup.metrics);
    const heapMb = setup.options.threadHeapMb;
    this.#worker = new Worker(new URL('../thread/thread.js', import.meta.url), {
      name: setup.consumer,
      workerData: setup,
      ...(heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
    });
    let uncaught: string | undefined;
    this.#worker.on('error', (error: unknown) => {
      uncaught = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    });
    this.ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => resolve(uncaught ?? `exit code ${code}`));
    });
    let hasStopped: () => void = () => undefined;
    this.stopped = new Promise((resolve) => {
      hasStopped = resolve;
    });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: FromThread) => {
        switch (message.type) {
          case 'ready':
            this.policies = message.policies;
            resolve();
            return;
          case 'failed':
            reject(new SluiceError(message.code, message.message));
            return;
          case 'event':
            report(
              message.event.type === 'internal-error'
                ? { ...message.event, error: receivedError(message.event.error) }
                : message.event,
            );
            return;
          case 'stopped':
            hasStopped();
            return;
        }
      });
      void this.ended.then((reason) => {
        hasStopped();
        reject(
          new SluiceError('HANDLER_MODULE', `a worker thread ended while it loaded its handlers: ${reason}`),
        );
      });
    });
    this.ready.catch(() => undefined); // whoever needs to know waits for it
  }

  /** Milliseconds that its event loop has been busy; 0 until it runs, and when it has ended. */
  get busyMs(): number {
    return this.#worker.performance.eventLoopUtilization().active;
  }

  /** Asks the thread to finish; see `stopped`. */
  stop(): void {
    this.#tell({ type: 'stop' });
  }

  /** Asks the thread to look for entries that are due. */
  look(): void {
    this.#tell({ type: 'look' });
  }

  /** Tells the thread what it holds and no longer owns. */
  leasesLost(lost: readonly LostLease[]): void {
    this.#tell({ type: 'leases-lost', lost });
  }

  /** Ends the thread, whatever it is doing. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }
}

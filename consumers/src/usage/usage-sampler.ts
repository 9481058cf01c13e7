import type { ConsumerListener, TaskResourceFigures } from '@sluice/telemetry';
import type { HeldEntry } from '../thread/thread-protocol.js';
import { GpuWatch } from './gpu-watch.js';
import { readGpus } from './nvidia-smi.js';
import { type SeenTask, TaskUsage } from './task-usage.js';

/** What is sampled of a worker thread. */
export interface SampledThread {
  readonly index: number;
  /** Milliseconds that its event loop has been busy; falls back to 0 with a new thread. */
  readonly busyMs: number;
  readonly board: { held(): readonly HeldEntry[]; readonly memoryBytes: number };
}

export interface UsageSamplerOptions {
  /** 0: never. */
  taskSampleSeconds: number;
  /** 0: never. */
  gpuSampleSeconds: number;
  /** Task type by lane. */
  taskTypes: readonly string[];
  threads: () => readonly SampledThread[];
  report: ConsumerListener;
}

/**
 * Samples what tasks take while they run, from the main thread: nothing is added to the way of a task. With nothing
 * running, nothing is sampled.
 *
 * - memory: what its thread holds, heap and buffers, as the thread last said (ten times a second, not while it is blocked);
 * - CPU: the time the event loop of its thread was busy, shared out among the tasks that were seen running on it. Node 20
 *   and 22 do not tell the CPU time of a thread; where programs wait for a core, that waiting is in this time;
 * - GPU: of the machine, by nvidia-smi.
 */
export class UsageSampler {
  readonly #options: UsageSamplerOptions;
  readonly #usage = new TaskUsage(() => performance.now());
  readonly #gpu: GpuWatch;
  /** By index of the thread. */
  readonly #busyMs = new Map<number, number>();
  /** Threads that a task has been seen on. */
  readonly #serving = new Set<number>();
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(options: UsageSamplerOptions) {
    this.#options = options;
    this.#gpu = new GpuWatch(readGpus, options.report, () => performance.now());
  }

  start(): void {
    const { taskSampleSeconds, gpuSampleSeconds } = this.#options;
    if (taskSampleSeconds === 0) return;
    this.#timers.push(setInterval(() => this.#sample(), taskSampleSeconds * 1000).unref());
    if (gpuSampleSeconds === 0) return;
    this.#timers.push(setInterval(() => void this.#sampleGpu(), gpuSampleSeconds * 1000).unref());
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  get figures(): TaskResourceFigures[] {
    return this.#usage.figures();
  }

  #sample(): void {
    const seen: SeenTask[] = [];
    for (const thread of this.#options.threads()) {
      const { board, index } = thread;
      const types: string[] = [];
      for (const { id, lane, deliveries, state } of board.held()) {
        const taskType = this.#options.taskTypes[lane];
        if (state !== 'running' || taskType === undefined) continue;
        types.push(taskType);
        seen.push({ run: `${index} ${lane} ${id} ${deliveries}`, taskType, memory: board.memoryBytes });
      }
      this.#shareCpu(thread, types);
    }
    this.#usage.sample(seen);
  }

  /**
   * What a thread did while no task was seen is kept for those that are seen next: most tasks are short. What it did
   * before the first was seen, loading its modules, is nobody's.
   */
  #shareCpu({ index, busyMs }: SampledThread, types: readonly string[]): void {
    const before = this.#busyMs.get(index) ?? 0;
    if (types.length === 0 && this.#serving.has(index) && busyMs >= before) return;
    this.#busyMs.set(index, busyMs);
    if (types.length === 0) return;
    this.#serving.add(index);
    const seconds = Math.max(0, busyMs - before) / 1000 / types.length;
    for (const type of types) this.#usage.addCpu(type, seconds);
  }

  async #sampleGpu(): Promise<void> {
    const runs = this.#usage.live;
    if (runs.size === 0) return;
    const percent = await this.#gpu.utilisation();
    if (percent !== undefined) this.#usage.sampleGpu(runs, percent);
  }
}

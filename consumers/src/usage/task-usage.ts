import type { PerTask, TaskResourceFigures } from '@sluice/telemetry';

/** What was seen of one task while it ran. */
class Seen {
  count = 0;
  sum = 0;
  max = Number.NEGATIVE_INFINITY;
  min = Number.POSITIVE_INFINITY;

  add(value: number): void {
    this.count += 1;
    this.sum += value;
    if (value > this.max) this.max = value;
    if (value < this.min) this.min = value;
  }
}

/** The same over tasks that have ended: the average is that of their averages, so that a long task counts once. */
class Ended {
  tasks = 0;
  sumOfAverages = 0;
  max = Number.NEGATIVE_INFINITY;
  min = Number.POSITIVE_INFINITY;

  add({ count, sum, max, min }: Seen): void {
    if (count === 0) return;
    this.tasks += 1;
    this.sumOfAverages += sum / count;
    this.max = Math.max(this.max, max);
    this.min = Math.min(this.min, min);
  }

  merge(other: Ended): void {
    this.tasks += other.tasks;
    this.sumOfAverages += other.sumOfAverages;
    this.max = Math.max(this.max, other.max);
    this.min = Math.min(this.min, other.min);
  }

  get figures(): PerTask | undefined {
    if (this.tasks === 0) return undefined;
    return { avg: this.sumOfAverages / this.tasks, max: this.max, min: this.min };
  }
}

interface LiveTask {
  readonly taskType: string;
  readonly memory: Seen;
  readonly gpu: Seen;
}

/** Tasks that ended within the same stretch of time. */
interface Stretch {
  readonly since: number;
  readonly ofType: Map<string, { tasks: number; memory: Ended; gpu: Ended }>;
}

/** Figures are of the tasks that ended within the last minute, forgotten ten seconds at a time. */
const STRETCH_MS = 10_000;
const STRETCHES = 6;

/** A task that was seen running. */
export interface SeenTask {
  /** Tells one run from every other. */
  readonly run: string;
  readonly taskType: string;
  /** Bytes that its thread holds. */
  readonly memory: number;
}

/**
 * Adds up samples by task, and tasks by type. Holds no more than the tasks that run, and a minute of figures for each
 * type. A task that starts and ends between two samples is not seen.
 */
export class TaskUsage {
  readonly #now: () => number;
  readonly #cpuSeconds = new Map<string, number>();
  #live = new Map<string, LiveTask>();
  #stretches: Stretch[] = [];

  /** @param now milliseconds of a clock that goes forward */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes a sample: these tasks run now, and of those seen before the others have ended. */
  sample(running: readonly SeenTask[]): void {
    const before = this.#live;
    this.#live = new Map();
    for (const { run, taskType, memory } of running) {
      const task = before.get(run) ?? { taskType, memory: new Seen(), gpu: new Seen() };
      before.delete(run);
      if (memory > 0) task.memory.add(memory); // its thread has not said yet how much it holds
      this.#live.set(run, task);
    }
    for (const ended of before.values()) this.#end(ended);
  }

  /** The tasks that run, to be given a reading of the GPU when it comes. */
  get live(): ReadonlySet<string> {
    return new Set(this.#live.keys());
  }

  /** The GPU was used so much while these ran; those of them that have ended are past it. */
  sampleGpu(runs: ReadonlySet<string>, percent: number): void {
    for (const run of runs) this.#live.get(run)?.gpu.add(percent);
  }

  addCpu(taskType: string, seconds: number): void {
    this.#cpuSeconds.set(taskType, (this.#cpuSeconds.get(taskType) ?? 0) + seconds);
  }

  /** By task type, of those that have been seen. */
  figures(): TaskResourceFigures[] {
    this.#forget();
    const types = new Set(this.#cpuSeconds.keys());
    for (const { ofType } of this.#stretches) for (const type of ofType.keys()) types.add(type);
    return [...types].map((taskType) => {
      const memory = new Ended();
      const gpu = new Ended();
      let tasks = 0;
      for (const { ofType } of this.#stretches) {
        const one = ofType.get(taskType);
        if (one === undefined) continue;
        tasks += one.tasks;
        memory.merge(one.memory);
        gpu.merge(one.gpu);
      }
      return {
        taskType,
        tasks,
        memory: memory.figures,
        gpu: gpu.figures,
        cpuSeconds: this.#cpuSeconds.get(taskType),
      };
    });
  }

  #end({ taskType, memory, gpu }: LiveTask): void {
    const { ofType } = this.#currentStretch();
    let one = ofType.get(taskType);
    if (one === undefined) {
      one = { tasks: 0, memory: new Ended(), gpu: new Ended() };
      ofType.set(taskType, one);
    }
    one.tasks += 1;
    one.memory.add(memory);
    one.gpu.add(gpu);
  }

  #currentStretch(): Stretch {
    const now = this.#now();
    const last = this.#stretches.at(-1);
    if (last !== undefined && now - last.since < STRETCH_MS) return last;
    this.#forget();
    const stretch = { since: now, ofType: new Map() };
    this.#stretches.push(stretch);
    return stretch;
  }

  #forget(): void {
    const oldest = this.#now() - STRETCH_MS * STRETCHES;
    this.#stretches = this.#stretches.filter(({ since }) => since > oldest);
  }
}

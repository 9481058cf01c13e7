/** Average, maximum and minimum of what single tasks took. */
export interface PerTask {
  readonly avg: number;
  readonly max: number;
  readonly min: number;
}

/**
 * What the tasks of one type took of their machine, over the tasks that ended within the last while. Part of
 * `ConsumerFigures`: who measures it fills it in there, and it goes to Prometheus (`sluice_task_memory_bytes`,
 * `sluice_task_gpu_percent`, `sluice_task_cpu_seconds_total`) and StatsD (`memory_usage_per_task_avg` …) from there.
 */
export interface TaskResourceFigures {
  readonly taskType: string;
  /** How many tasks these are figures of. */
  readonly tasks: number;
  /** Bytes. */
  readonly memory: PerTask | undefined;
  /** Percent of the GPU; undefined without one. */
  readonly gpu: PerTask | undefined;
  /** Seconds of CPU since the process started. */
  readonly cpuSeconds: number | undefined;
}

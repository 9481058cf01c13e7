/** Every name that is sent to StatsD, without `STATSD_PREFIX`, with its type there. */
export const STATSD_NAMES = {
  request_count: 'counter',
  request_duration: 'timer in ms',
  task_queue_size: 'gauge',
  task_processing_time: 'timer in ms',
  error_rate: 'gauge, 0 to 1',
  append_breakers_open: 'gauge: streams whose tasks Redis refuses',
  memory_usage: 'gauge in bytes',
  cpu_usage: 'gauge in percent of one core',
  gpu_usage_per_task_avg: 'gauge in percent',
  gpu_usage_per_task_max: 'gauge in percent',
  gpu_usage_per_task_min: 'gauge in percent',
  memory_usage_per_task_avg: 'gauge in bytes',
  memory_usage_per_task_max: 'gauge in bytes',
  memory_usage_per_task_min: 'gauge in bytes',
} as const;

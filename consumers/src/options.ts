import { Option, type PairCheck, queueOptions } from '@sluice/contract';
import { logOptions, sentryOptions, statsdOptions, traceOptionPairs, traceOptions } from '@sluice/telemetry';
import type { Static } from 'typebox';

/** Every option of a consumer, with its environment variable, meaning, unit and default. */
export const consumerOptions = Option.Object({
  ...queueOptions,
  group: Option.String({
    env: 'REDIS_CONSUMER_GROUP',
    minLength: 1,
    default: 'processors',
    description: 'Consumer group. Each group sees every task once; consumers of one group share the tasks.',
  }),
  consumerName: Option.String({
    env: 'REDIS_CONSUMER_NAME',
    minLength: 1,
    default: 'worker',
    description:
      'Host part of the consumer names `<name>:<pid>:<thread>`. `worker` stands for the name of the host.',
  }),
  threads: Option.Union([Option.Literal('auto'), Option.Integer({ minimum: 1, maximum: 256 })], {
    env: 'CONSUMER_THREADS',
    default: 'auto',
    description: 'Worker threads; each is a consumer of its own. `auto` is one per available CPU.',
  }),
  maxConcurrentTasks: Option.Integer({
    env: 'MAX_CONCURRENT_TASKS',
    minimum: 1,
    maximum: 100_000,
    default: 1000,
    description: 'Tasks that one process runs at once, over all its threads. At the limit it reads no more.',
  }),
  threadHeapMb: Option.Optional(
    Option.Integer({
      env: 'CONSUMER_THREAD_HEAP',
      minimum: 16,
      maximum: 65_536,
      description:
        'MiB of JavaScript heap a thread may use before it is ended and replaced. Without it, the limit is that of V8.',
    }),
  ),
  readBatchSize: Option.Integer({
    env: 'READ_BATCH_SIZE',
    minimum: 1,
    maximum: 1000,
    default: 200,
    description: 'Most tasks of one type that a thread reads at once; fewer when they turn out to be slow.',
  }),
  taskTimeoutSeconds: Option.Number({
    env: 'TASK_TIMEOUT',
    exclusiveMinimum: 0,
    maximum: 86_400,
    default: 30,
    description:
      'Seconds until the signal of a task is aborted and its attempt counts as failed. A thread that is blocked for longer is replaced.',
  }),
  maxAttempts: Option.Integer({
    env: 'MAX_ATTEMPTS',
    minimum: 1,
    maximum: 1000,
    default: 3,
    description: 'Failed attempts after which a task goes to the dead-letter stream.',
  }),
  maxCrashes: Option.Integer({
    env: 'MAX_CRASHES',
    minimum: 1,
    maximum: 1000,
    default: 3,
    description:
      'Runs of a task that may end with its process or thread dying before it goes to the dead-letter stream unseen.',
  }),
  backoffBaseSeconds: Option.Number({
    env: 'RETRY_BACKOFF_BASE',
    minimum: 0,
    maximum: 86_400,
    default: 1,
    description: 'Seconds from the first failure to the second attempt; doubles with each further failure.',
  }),
  backoffMaxSeconds: Option.Number({
    env: 'RETRY_BACKOFF_MAX',
    minimum: 0,
    maximum: 604_800,
    default: 300,
    description: 'Seconds that no wait between two attempts exceeds, jitter aside.',
  }),
  backoffJitter: Option.Number({
    env: 'RETRY_BACKOFF_JITTER',
    minimum: 0,
    maximum: 1,
    default: 0.2,
    description: 'Up to this fraction is added to each wait at random. It never shortens one.',
  }),
  breaker: Option.Boolean({
    env: 'BREAKER',
    default: true,
    description:
      'Whether a task type is paused when most of its tasks fail. They wait in the stream meanwhile and lose no attempt.',
  }),
  breakerFailureRate: Option.Number({
    env: 'BREAKER_FAILURE_RATE',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.5,
    description:
      'Part of the runs of a type that must fail for its breaker to open. Timeouts count; `Unrecoverable`, `RetryAfter` and poison do not.',
  }),
  breakerMinimumFailures: Option.Integer({
    env: 'BREAKER_MINIMUM_FAILURES',
    minimum: 1,
    maximum: 1000,
    default: 20,
    description: 'Different tasks that must fail within the window for a breaker to open.',
  }),
  breakerWindowSeconds: Option.Number({
    env: 'BREAKER_WINDOW',
    minimum: 0.1,
    maximum: 3600,
    default: 10,
    description:
      'Seconds that runs are counted for. While most tasks of a type fail and are too few to tell, dead letters wait for so long.',
  }),
  breakerOpenSeconds: Option.Number({
    env: 'BREAKER_OPEN_TIME',
    minimum: 0.1,
    maximum: 3600,
    default: 5,
    description:
      'Seconds that nothing is started after a breaker has opened; doubles each time the probes fail.',
  }),
  breakerOpenMaxSeconds: Option.Number({
    env: 'BREAKER_OPEN_TIME_MAX',
    minimum: 0.1,
    maximum: 86_400,
    default: 30,
    description: 'Seconds that a breaker stays open at most until the next probes, jitter aside.',
  }),
  breakerProbes: Option.Integer({
    env: 'BREAKER_PROBES',
    minimum: 1,
    maximum: 100,
    default: 5,
    description:
      'Tasks that the whole group tries at once to see whether it works again. What becomes of most of them decides.',
  }),
  leaseSeconds: Option.Number({
    env: 'TASK_LEASE',
    minimum: 1,
    maximum: 3600,
    default: 30,
    description:
      'Seconds without a sign of life after which the tasks of a consumer are given to others. Renewed while a task runs, so it may be shorter than TASK_TIMEOUT; too short, and a stalled process loses its tasks.',
  }),
  scheduleGraceSeconds: Option.Number({
    env: 'SCHEDULE_GRACE',
    minimum: 0,
    maximum: 2_592_000,
    default: 3600,
    description:
      'Seconds by which the latest run of a cron schedule may be late when no consumer was there to enqueue it; an older one is missed. Runs that are late by up to a minute are all made up for.',
  }),
  taskSampleSeconds: Option.Number({
    env: 'TASK_SAMPLE_SECONDS',
    minimum: 0,
    maximum: 3600,
    default: 1,
    description:
      'Seconds between two looks at the memory and CPU that running tasks take; a task that is shorter is seen by chance. 0: none.',
  }),
  gpuSampleSeconds: Option.Number({
    env: 'GPU_SAMPLE_SECONDS',
    minimum: 0,
    maximum: 3600,
    default: 5,
    description:
      'Seconds between two calls of `nvidia-smi` while tasks run. Without one, or without a GPU, it is called once. 0: never.',
  }),
  shutdownTimeoutSeconds: Option.Number({
    env: 'SHUTDOWN_TIMEOUT',
    minimum: 0,
    maximum: 3600,
    default: 30,
    description:
      'Seconds that running tasks have to finish on shutdown; the rest is left to other consumers.',
  }),
  ...traceOptions,
});

/** Options of the `consumers` program besides those of a consumer. */
export const consumerProgramOptions = Option.Object({
  metricsHost: Option.String({
    env: 'SERVICE_HOST',
    minLength: 1,
    default: '0.0.0.0',
    description: 'Address of the port for operations.',
  }),
  metricsPort: Option.Optional(
    Option.Integer({
      env: 'METRICS_PORT',
      minimum: 1,
      maximum: 65535,
      description:
        'Port for operations: `/metrics` for Prometheus, `/health`, `/livez`, `/readyz`. Without it there is none, so that any number of consumers runs on one machine.',
    }),
  ),
  ...logOptions,
  ...statsdOptions,
  ...sentryOptions,
});

/** Options with all defaults filled in. */
export type ResolvedOptions = Static<typeof consumerOptions>;

/** What several options mean together. */
export const consumerOptionPairs: readonly PairCheck<ResolvedOptions>[] = [
  ...traceOptionPairs,
  ({ threads, maxConcurrentTasks }) =>
    threads !== 'auto' && threads > maxConcurrentTasks
      ? {
          path: 'maxConcurrentTasks',
          reason: `is ${maxConcurrentTasks} with ${threads} threads; allowed: at least one task per thread`,
        }
      : undefined,
  ({ backoffBaseSeconds, backoffMaxSeconds }) =>
    backoffBaseSeconds > backoffMaxSeconds
      ? {
          path: 'backoffMaxSeconds',
          reason: `is ${backoffMaxSeconds}; allowed: not below the base, which is ${backoffBaseSeconds}`,
        }
      : undefined,
  ({ breakerOpenSeconds, breakerOpenMaxSeconds }) =>
    breakerOpenSeconds > breakerOpenMaxSeconds
      ? {
          path: 'breakerOpenMaxSeconds',
          reason: `is ${breakerOpenMaxSeconds}; allowed: not below the first time, which is ${breakerOpenSeconds}`,
        }
      : undefined,
];

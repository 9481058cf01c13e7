import { Option, type PairCheck, queueOptions, type TaskType } from '@sluice/contract';
import {
  type EngineListener,
  logOptions,
  sentryOptions,
  statsdOptions,
  traceOptionPairs,
  traceOptions,
} from '@sluice/telemetry';
import type { Static } from 'typebox';
import { accessOptionPairs, accessOptions } from './access/access-options.js';
import { breakerOptions } from './admission/breaker-options.js';
import { trackingOptions } from './status/tracking-options.js';

/** Every option of an engine process, with its environment variable, default and meaning. */
export const engineOptions = Option.Object({
  ...queueOptions,
  host: Option.String({
    env: 'SERVICE_HOST',
    minLength: 1,
    default: '0.0.0.0',
    description: 'Address the intake listens on.',
  }),
  port: Option.Integer({
    env: 'SERVICE_PORT',
    minimum: 0,
    maximum: 65535,
    default: 8000,
    description: 'Port of the intake, shared by all engine processes. 0 takes a free one (library only).',
  }),
  serviceName: Option.String({
    env: 'SERVICE_NAME',
    minLength: 1,
    default: 'sluice',
    description: 'Name under `service` in each log line, and title of `/openapi.json`.',
  }),
  serviceVersion: Option.String({
    env: 'SERVICE_VERSION',
    default: '0.1.0',
    description: 'Version that `/health` and `/openapi.json` state.',
  }),
  ackMode: Option.Union(
    [
      Option.Literal('received'),
      Option.Literal('appended'),
      Option.Literal('replicated'),
      Option.Literal('fsynced'),
    ],
    {
      env: 'ACK_MODE',
      default: 'appended',
      description:
        'What 202 means without `Prefer: ack=…`: `received`, the task was valid and is queued in memory, and is lost if the process or Redis dies now; `appended`, Redis confirmed it; `replicated`, `REPLICATED_ACKS` replicas of Redis have it too; `fsynced`, it is on the disk of Redis.',
    },
  ),
  replicatedAcks: Option.Integer({
    env: 'REPLICATED_ACKS',
    minimum: 1,
    maximum: 100,
    default: 1,
    description: 'Replicas that must have a task for `ack=replicated`.',
  }),
  ackTimeoutSeconds: Option.Number({
    env: 'ACK_TIMEOUT',
    exclusiveMinimum: 0,
    maximum: 60,
    default: 3,
    description:
      'Seconds that replicas or the disk may take to confirm a task, for `ack=replicated` or `ack=fsynced`, before its request is answered 503 `ACK_LEVEL_NOT_REACHED`. `appendfsync everysec` takes over a second.',
  }),
  maxPayloadSize: Option.Integer({
    env: 'MAX_PAYLOAD_SIZE',
    minimum: 1,
    maximum: 512 * 1024 * 1024,
    default: 1_048_576,
    description: 'Largest body in bytes; a larger one is answered 413.',
  }),
  maxDepth: Option.Integer({
    env: 'MAX_PAYLOAD_DEPTH',
    minimum: 1,
    maximum: 1000,
    default: 128,
    description: 'Deepest nesting of a body; a deeper one is answered 422.',
  }),
  allowChunked: Option.Boolean({
    env: 'ALLOW_CHUNKED',
    default: false,
    description:
      'Take bodies with `Transfer-Encoding: chunked`; otherwise they are answered 411. A proxy in front re-frames them.',
  }),
  maxInFlightRequests: Option.Integer({
    env: 'MAX_IN_FLIGHT_REQUESTS',
    minimum: 1,
    default: 10_000,
    description: 'Requests a process holds at once; above it, 503 `OVERLOADED`.',
  }),
  maxInFlightBytes: Option.Integer({
    env: 'MAX_IN_FLIGHT_BYTES',
    minimum: 1,
    default: 32 * 1024 * 1024,
    description: 'Bytes of bodies a process holds at once; above it, 503 `OVERLOADED`.',
  }),
  maxBatchSize: Option.Integer({
    env: 'MAX_BATCH_SIZE',
    minimum: 1,
    maximum: 512 * 1024 * 1024,
    default: 4 * 1024 * 1024,
    description:
      'Largest body of a batch in bytes, and never more than `MAX_IN_FLIGHT_BYTES`; a larger one is answered 413. Each of its tasks is bounded by `MAX_PAYLOAD_SIZE`.',
  }),
  maxBatchTasks: Option.Integer({
    env: 'MAX_BATCH_TASKS',
    minimum: 1,
    maximum: 1_000_000,
    default: 10_000,
    description: 'Most tasks of a batch, and never more than `STREAM_MAXLEN`; more are answered 413.',
  }),
  maxInFlightBatchTasks: Option.Integer({
    env: 'MAX_IN_FLIGHT_BATCH_TASKS',
    minimum: 1,
    default: 50_000,
    description: 'Tasks of batches a process holds at once; above it, 503 `OVERLOADED`.',
  }),
  streamMaxlen: Option.Integer({
    env: 'STREAM_MAXLEN',
    minimum: 1,
    default: 100_000,
    description:
      'Backlog (tasks not yet acknowledged) of one stream at which its tasks are answered 503 `OVERLOADED`.',
  }),
  maxDrainSeconds: Option.Number({
    env: 'MAX_DRAIN_SECONDS',
    minimum: 0,
    default: 0,
    description:
      'Seconds that working off the backlog of a stream may take, at the rate at which its consumers have lately done so; above it, 503 `OVERLOADED`. 0: any, only `STREAM_MAXLEN` counts.',
  }),
  redisMemoryWatermark: Option.Number({
    env: 'REDIS_MEMORY_WATERMARK',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.9,
    description:
      "Part of Redis' `maxmemory` from which on tasks are answered 503 `OVERLOADED`: consumers need the rest to settle what is queued. 1: none is kept free. Without `maxmemory` it does not count.",
  }),
  streamOverflow: Option.Union([Option.Literal('shed'), Option.Literal('drop-oldest')], {
    env: 'STREAM_OVERFLOW',
    default: 'shed',
    description:
      'What happens at `STREAM_MAXLEN`: `shed` answers 503; `drop-oldest` deletes the oldest tasks, read or not, to make room.',
  }),
  streamRetentionSeconds: Option.Number({
    env: 'STREAM_RETENTION',
    minimum: 0,
    default: 3600,
    description:
      'Age in seconds after which an acknowledged entry is removed even when an older one is still pending. What is not acknowledged stays.',
  }),
  scheduleMaxlen: Option.Integer({
    env: 'SCHEDULE_MAXLEN',
    minimum: 0,
    maximum: 10_000_000,
    default: 100_000,
    description:
      'Delayed tasks of one type that wait for their time at which further ones are answered 503 `OVERLOADED`. 0 takes none.',
  }),
  scheduleMaxDelaySeconds: Option.Number({
    env: 'SCHEDULE_MAX_DELAY',
    minimum: 0,
    maximum: 3_153_600_000,
    default: 31_536_000,
    description: 'Seconds that `delay` or `run_at` may put a task off at most; more is answered 422.',
  }),
  idempotencyTtlSeconds: Option.Number({
    env: 'IDEMPOTENCY_TTL',
    minimum: 0.001,
    maximum: 31_536_000,
    default: 86_400,
    description:
      'Seconds for which an `Idempotency-Key` is known, from the task that first came with it. Each takes some 250 bytes of Redis for so long.',
  }),
  appendTimeoutSeconds: Option.Number({
    env: 'APPEND_TIMEOUT',
    exclusiveMinimum: 0,
    maximum: 60,
    default: 1,
    description: 'Seconds Redis may take to confirm an append before the request is answered 503.',
  }),
  ...breakerOptions,
  shutdownDelaySeconds: Option.Number({
    env: 'SHUTDOWN_DELAY',
    minimum: 0,
    default: 1,
    description:
      'Seconds between readiness going off and the listener closing, for load balancers to notice.',
  }),
  shutdownTimeoutSeconds: Option.Number({
    env: 'SHUTDOWN_TIMEOUT',
    exclusiveMinimum: 0,
    default: 30,
    description: 'Seconds a shutdown may take; after that the process exits non-zero.',
  }),
  apiDocs: Option.Union([Option.Literal('on'), Option.Literal('public'), Option.Literal('off')], {
    env: 'API_DOCS',
    default: 'on',
    description:
      '`/openapi.json` and the page `/docs`. `on`: for whoever may send tasks; with `API_KEYS_FILE`, the document is for holders of a key, and there is no page. `public`: for everybody. `off`: 404.',
  }),
  ...trackingOptions,
  ...accessOptions,
  ...traceOptions,
});

/** Options of the `engine` program besides those of a single engine. */
export const engineProgramOptions = Option.Object({
  schemaModule: Option.Optional(
    Option.String({
      env: 'SCHEMA_MODULE',
      minLength: 1,
      description: 'Module whose default export is the list of task types (`defineTaskType`); path or URL.',
    }),
  ),
  workerProcesses: Option.Union([Option.Literal('auto'), Option.Integer({ minimum: 1, maximum: 256 })], {
    env: 'WORKER_PROCESSES',
    default: 'auto',
    description: 'Engine processes on the port; `auto` is one per core.',
  }),
  metricsPort: Option.Integer({
    env: 'METRICS_PORT',
    minimum: 1,
    maximum: 65535,
    default: 8080,
    description: 'Port for operations: `/metrics` for Prometheus, `/health`, `/livez`, `/readyz`.',
  }),
  ...logOptions,
  ...statsdOptions,
  ...sentryOptions,
});

export type ResolvedEngineOptions = Static<typeof engineOptions>;
export type EngineProgramOptions = Static<typeof engineProgramOptions>;

/** Options of {@link createEngine}; each has the default of {@link engineOptions}. */
export interface EngineOptions extends Partial<ResolvedEngineOptions> {
  /** Task types with a schema, served at `POST /tasks/{name}`. @default [] */
  taskTypes?: readonly TaskType[];
  /** Told of everything in `EngineEvent`. @default nobody is told */
  listener?: EngineListener;
  /**
   * Text of `apiKeysFile` when it was last right, taken while it is not now; whoever gives it reports on the file.
   * @default none: a wrong file throws
   */
  apiKeysText?: string | undefined;
  /** Lets several processes listen on the port (SO_REUSEPORT). @default false: a port in use is an error */
  sharePort?: boolean;
}

/** Options that are wrong only together. */
export const engineOptionPairs: readonly PairCheck<ResolvedEngineOptions>[] = [
  (options) =>
    options.maxInFlightBytes < options.maxPayloadSize
      ? {
          path: 'maxInFlightBytes',
          reason: `is ${options.maxInFlightBytes}, less than the largest body of ${options.maxPayloadSize} bytes; allowed: at least that`,
        }
      : undefined,
  (options) =>
    options.maxInFlightBatchTasks < options.maxBatchTasks
      ? {
          path: 'maxInFlightBatchTasks',
          reason: `is ${options.maxInFlightBatchTasks}, less than the ${options.maxBatchTasks} tasks of the largest batch; allowed: at least that`,
        }
      : undefined,
  (options) =>
    options.shutdownDelaySeconds >= options.shutdownTimeoutSeconds
      ? {
          path: 'shutdownDelaySeconds',
          reason: `is ${options.shutdownDelaySeconds}; allowed: less than the shutdown timeout of ${options.shutdownTimeoutSeconds} s`,
        }
      : undefined,
  ...accessOptionPairs,
  ...traceOptionPairs,
];

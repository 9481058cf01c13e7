import { DEFAULT_TASK_TYPE, listeningUrl, redisConnection, resolveOptions } from '@sluice/contract';
import { type EngineCounters, type EngineFigures, processFigures, watchEventLoop } from '@sluice/telemetry';
import { accessOf } from './access/access.js';
import { Admission } from './admission/admission.js';
import { AppendBreakers } from './admission/append-breakers.js';
import { BacklogWatch } from './admission/backlog-watch.js';
import { AckLevels } from './append/ack-levels.js';
import type { BatcherOptions } from './append/batcher.js';
import { Redis } from './append/ioredis.js';
import { BREAK, type Broken, batcherOf, routeSpansOf } from './broken.js';
import { shielded, throttledRefusals } from './engine-listener.js';
import { type Health, healthOf } from './http/health.js';
import { ServiceServer } from './http/service-server.js';
import { BatchIntake } from './intake/batch-intake.js';
import { batchLimits } from './intake/batch-limits.js';
import { Intake } from './intake/intake.js';
import type { IntakeOptions } from './intake/intake-options.js';
import { Reception } from './intake/reception.js';
import { taskRouteOf } from './intake/task-route.js';
import { newCounters } from './metrics/counters.js';
import { RequestTimes } from './metrics/request-times.js';
import { apiDocsOf } from './openapi/api-docs.js';
import {
  type EngineOptions,
  engineOptionPairs,
  engineOptions,
  type ResolvedEngineOptions,
} from './options.js';
import { StatusDesk } from './status/status-desk.js';
import { StatusLookup } from './status/status-lookup.js';
import { EngineTraces } from './traces/engine-traces.js';
import { compileValidators } from './validation/validator.js';

/** An engine in this process. */
export interface Engine {
  /**
   * Listens; called again, it says where. Redis need not be there yet: until it is, tasks are answered 503.
   *
   * @throws SluiceError `PORT_IN_USE`; start() can then be called again
   * @throws Error when the engine was stopped: an engine starts once
   */
  start(): Promise<{ port: number; url: string }>;
  /**
   * Readiness off, wait, stop listening, answer what is in flight, close. Resolves with the number of requests
   * that were still unanswered at the shutdown timeout: 0 if all went well.
   */
  stop(): Promise<number>;
  health(): Health;
  /**
   * Whether traffic should come here: Redis is up, and no shutdown has begun. Where tasks are tracked, the connection
   * for who asks for them has to have been up once, too.
   */
  readonly ready: boolean;
  readonly counters: EngineCounters;
  /** What it has done since its start; requests only of the routes that had any since the last call. */
  takeFigures(): EngineFigures;
}

/** A negative control of the tests. */
type Breakable = EngineOptions & { [BREAK]?: Broken };

/** How often a shutdown looks whether all is answered. */
const DRAIN_LOOK_MS = 10;
/** So long the receiver of spans is waited for at most, and so long before the deadline no more. */
const FLUSH_SPANS_MS = 5000;
/** Of the time that is left at the end: the log has to be delivered, too. */
const SPANS_PART = 0.4;
/** A connection may have sent a request that has not been read yet: so long idle ones are kept open. */
const DRAIN_QUIET_MS = 250;

/**
 * An engine: takes tasks in over HTTP, validates them, appends them to their streams, answers 202.
 *
 * @throws SluiceError `INVALID_OPTIONS`, one line per fault
 */
export function createEngine(given: EngineOptions = {}): Engine {
  const {
    taskTypes = [],
    sharePort = false,
    apiKeysText,
    listener: givenListener = () => {},
    ...rest
  } = given;
  const listener = shielded(givenListener);
  const options: ResolvedEngineOptions = resolveOptions(engineOptions, rest, engineOptionPairs);
  const counters = newCounters();
  const types = taskTypes.map((type) => type.name);
  const requestTimes = new RequestTimes(DEFAULT_TASK_TYPE, types);
  const eventLoop = watchEventLoop();
  const broken = (given as Breakable)[BREAK];
  const traces = EngineTraces.of(options, types, listener, routeSpansOf(broken));

  const watchRedis = new Redis(options.redisUrl, redisConnection('sluice-engine-watch', 2000));
  watchRedis.on('error', () => {}); // the append connection sees the same and reports it

  let redisLostAt: number | undefined;
  const batcherOptions: BatcherOptions = {
    redisUrl: options.redisUrl,
    appendTimeoutMs: options.appendTimeoutSeconds * 1000,
    onUp: () => {
      if (redisLostAt === undefined) {
        listener({ type: 'redis-found' });
        return;
      }
      listener({ type: 'redis-back', downMs: Math.round(performance.now() - redisLostAt) });
      redisLostAt = undefined;
    },
    onDown: (reason) => {
      redisLostAt = performance.now();
      listener({ type: 'redis-lost', reason });
    },
    onBatch: () => counters.batches++,
    spans: traces?.writes,
  };
  const batcher = batcherOf(broken, batcherOptions, watchRedis, options);

  const levels = new AckLevels(batcher, watchRedis, options, batcherOptions.onBatch, broken, traces?.writes);

  const dropOldest = options.streamOverflow === 'drop-oldest';
  const backlogs = new BacklogWatch(watchRedis, {
    maxBacklog: dropOldest ? Number.POSITIVE_INFINITY : options.streamMaxlen,
    maxDrainSeconds: options.maxDrainSeconds,
    memoryWatermark: options.redisMemoryWatermark,
  });

  const admission = new Admission({
    maxInFlightRequests: options.maxInFlightRequests,
    maxInFlightBytes: options.maxInFlightBytes,
    maxInFlightTasks: options.maxInFlightBatchTasks,
    onShedding: (reason) =>
      listener(reason === undefined ? { type: 'shedding-stopped' } : { type: 'shedding-started', reason }),
  });
  counters.shed = admission.shedFor;

  const access = accessOf(options, listener, apiKeysText);
  const intakeOptions: IntakeOptions = {
    access,
    ackMode: options.ackMode,
    maxPayloadSize: options.maxPayloadSize,
    maxDepth: options.maxDepth,
    allowChunked: options.allowChunked,
    admission,
    batcher,
    levels,
    counters,
    times: requestTimes,
    onAppendRefused: throttledRefusals(listener),
    onInternalError: (where, error, traceContext) =>
      listener({ type: 'internal-error', where, error, ...(traceContext && { traceContext }) }),
  };
  const reception = new Reception(intakeOptions);
  const intake = new Intake(intakeOptions, reception);
  const batchIntake = new BatchIntake({ ...intakeOptions, ...batchLimits(options) }, reception);

  const breakers = new AppendBreakers({
    refusals: options.appendBreakerRefusals,
    probeAfterMs: options.appendBreakerProbeSeconds * 1000,
    listener,
    now: () => performance.now(),
  });
  const health = (): Health => healthOf(batcher.isUp, breakers.health(batcher.isUp), options.serviceVersion);

  const validators = compileValidators(taskTypes, options.scheduleMaxDelaySeconds);
  const means = { options, validators, backlogs, requestTimes, breakers, traces };
  const routeOf = (type: string) => taskRouteOf(type, means);

  const lookup = options.trackTasks
    ? new StatusLookup(options.redisUrl, options.streamName, batcherOptions.appendTimeoutMs, () =>
        listener({ type: 'status-lookup-found' }),
      )
    : undefined;
  const statusDesk = new StatusDesk({
    lookup,
    types,
    times: requestTimes.status,
    access,
    admission,
    reception,
    onInternalError: intakeOptions.onInternalError,
  });

  let starting: Promise<{ port: number; url: string }> | undefined;
  let stopping: Promise<number> | undefined;
  let draining = false;
  const isReady = (): boolean => batcher.isUp && (lookup?.isFound ?? true) && !draining;
  const server = new ServiceServer({
    host: options.host,
    port: options.port,
    sharePort,
    tls: options,
    access,
    reception,
    intake,
    batchIntake,
    statusDesk,
    other: requestTimes.other,
    untyped: routeOf(DEFAULT_TASK_TYPE),
    typed: new Map(types.map((type) => [type, routeOf(type)])),
    health,
    ready: isReady,
    docs: apiDocsOf(options, taskTypes),
  });

  return {
    get counters() {
      return currentCounters();
    },
    takeFigures: () => ({
      counters: currentCounters(),
      requests: requestTimes.takeChanged(),
      process: processFigures(eventLoop.delays),
    }),
    get ready() {
      return isReady();
    },
    health,

    start() {
      if (stopping !== undefined) {
        return Promise.reject(
          new Error('this engine was stopped and cannot start again: create another one'),
        );
      }
      starting ??= open().catch((error: unknown) => {
        starting = undefined;
        throw error;
      });
      return starting;
    },
    stop: () => (stopping ??= shutDown()),
  };

  function currentCounters(): EngineCounters {
    counters.inFlightRequests = admission.requests;
    counters.inFlightBytes = admission.bytes;
    counters.inFlightBatchTasks = admission.tasks;
    counters.breakerOpened = breakers.opened;
    if (traces !== undefined) {
      const { exported, dropped } = traces.counts;
      counters.spansExported = exported;
      counters.spansDropped = dropped;
    }
    return counters;
  }

  async function open(): Promise<{ port: number; url: string }> {
    const port = await server.listen();
    access?.keys?.start();
    batcher.open();
    watchRedis.connect().catch(() => {}); // goes on trying by itself
    backlogs.start();
    lookup?.start();
    return {
      port,
      url: listeningUrl(options.host, port, options.tlsCertFile === undefined ? 'http' : 'https'),
    };
  }

  async function shutDown(): Promise<number> {
    const deadline = performance.now() + options.shutdownTimeoutSeconds * 1000;
    draining = true;
    await starting?.catch(() => {});
    await delay(options.shutdownDelaySeconds * 1000);
    reception.draining = true;
    server.stopListening();
    await drained(deadline);
    const unanswered = admission.requests;
    server.close();
    eventLoop.stop();
    access?.keys?.stop();
    backlogs.stop();
    levels.close();
    watchRedis.disconnect();
    lookup?.stop();
    const leftMs = Math.max(0, deadline - performance.now());
    await traces?.stop(Math.min(FLUSH_SPANS_MS, leftMs * SPANS_PART));
    return unanswered;
  }

  /** Resolves when all is answered and confirmed, and no connection is left that may still send; or at the deadline. */
  async function drained(deadline: number): Promise<void> {
    let quietSince = performance.now();
    let requests = counters.requests;
    while (performance.now() < deadline) {
      const now = performance.now();
      if (admission.requests > 0 || levels.pending > 0 || counters.requests !== requests) {
        requests = counters.requests;
        quietSince = now;
      } else if (server.connections === 0 || now - quietSince >= DRAIN_QUIET_MS) {
        return;
      }
      await delay(DRAIN_LOOK_MS);
    }
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

import { queueKeys } from '@sluice/contract';
import type { AppendBreaker } from '../admission/append-breaker.js';
import type { AppendBreakers } from '../admission/append-breakers.js';
import type { BacklogGauge } from '../admission/backlog-gauge.js';
import type { BacklogWatch } from '../admission/backlog-watch.js';
import { type OnceEncoder, onceEncoder } from '../append/idempotency.js';
import { type ScheduleEncoder, scheduleEncoder } from '../append/schedule.js';
import { trackedEncoder } from '../append/tracked-append.js';
import { trackingOf, UNTRACKED } from '../append/tracking.js';
import { type XaddEncoder, xaddEncoder } from '../append/xadd.js';
import type { RequestTimes, RouteTimes } from '../metrics/request-times.js';
import type { ResolvedEngineOptions } from '../options.js';
import type { EngineTraces } from '../traces/engine-traces.js';
import type { BodyValidator, BodyValidators } from '../validation/validator.js';

/** Where the tasks of one type go: prepared at start, so that a request has nothing left to decide. */
export interface TaskRoute {
  readonly type: string;
  readonly validator: BodyValidator;
  readonly encode: XaddEncoder;
  readonly encodeDelayed: ScheduleEncoder;
  readonly encodeOnce: OnceEncoder;
  readonly backlog: BacklogGauge;
  /** How long its requests took, those with one task and those with a batch. */
  readonly times: RouteTimes;
  readonly batchTimes: RouteTimes;
  readonly breaker: AppendBreaker;
}

/** What a route is made of. */
export interface RouteMeans {
  readonly options: ResolvedEngineOptions;
  readonly validators: BodyValidators;
  readonly backlogs: BacklogWatch;
  readonly requestTimes: RequestTimes;
  readonly breakers: AppendBreakers;
  /** Where requests are traced. */
  readonly traces: EngineTraces | undefined;
}

/** Prepares the way of the tasks of one type. */
export function taskRouteOf(
  type: string,
  { options, validators, backlogs, requestTimes, breakers, traces }: RouteMeans,
): TaskRoute {
  const { streamName, scheduleMaxlen: maxScheduled, trackTasks, trackTtlSeconds } = options;
  const stream = queueKeys(streamName).stream(type);
  const dropOldestAt = options.streamOverflow === 'drop-oldest' ? options.streamMaxlen : undefined;
  const keptMs = Math.ceil(trackTtlSeconds * 1000);
  const tracking = trackTasks ? trackingOf(streamName, type, keptMs) : UNTRACKED;
  const times = requestTimes.of(type);
  const spans = traces?.routesOf(type);
  times.times.spans = spans?.spans;
  times.batchTimes.spans = spans?.batchSpans;
  return {
    type,
    validator: validators.of(type),
    encode: trackTasks
      ? trackedEncoder(streamName, type, keptMs, dropOldestAt)
      : xaddEncoder(stream, type, dropOldestAt),
    encodeDelayed: scheduleEncoder(streamName, type, maxScheduled, dropOldestAt, tracking),
    encodeOnce: onceEncoder(streamName, type, {
      maxScheduled,
      dropOldestAt,
      ttlMs: Math.ceil(options.idempotencyTtlSeconds * 1000),
      tracking,
    }),
    backlog: backlogs.gauge(stream),
    ...times,
    breaker: breakers.of(stream),
  };
}

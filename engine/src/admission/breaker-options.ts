import { Option } from '@sluice/contract';

/** The options of {@link AppendBreaker}. */
export const breakerOptions = {
  appendBreakerRefusals: Option.Integer({
    env: 'APPEND_BREAKER_REFUSALS',
    minimum: 0,
    maximum: 1_000_000,
    default: 10,
    description:
      'Appends to one stream that Redis refuses in a row (out of memory, read-only, no permission, …) until further tasks of it are answered 503 without being written to Redis. 0: however many.',
  }),
  appendBreakerProbeSeconds: Option.Number({
    env: 'APPEND_BREAKER_PROBE_AFTER',
    exclusiveMinimum: 0,
    maximum: 60,
    default: 0.5,
    description:
      'Seconds between the requests that are let through to see whether Redis takes tasks of that stream again. The first that is taken ends it.',
  }),
};

import type { ResolvedEngineOptions } from '../options.js';
import type { IntakeOptions } from './intake-options.js';

/** A number that is bounded, and the option that says so. */
export interface NamedLimit {
  readonly most: number;
  readonly name: string;
}

export interface BatchIntakeOptions extends IntakeOptions {
  /** Most bytes of a batch. */
  batchBytes: NamedLimit;
  /** Most tasks of a batch. */
  batchTasks: NamedLimit;
}

/**
 * How large a batch may be: what could never come in, because another bound is lower, is refused as too large by the
 * name of that bound, and not as an overload that never ends.
 */
export function batchLimits(options: ResolvedEngineOptions): {
  batchBytes: NamedLimit;
  batchTasks: NamedLimit;
} {
  const { maxBatchSize, maxInFlightBytes, maxBatchTasks, streamMaxlen, streamOverflow } = options;
  const backlog = streamOverflow === 'shed' ? streamMaxlen : Number.POSITIVE_INFINITY;
  return {
    batchBytes: lower([maxBatchSize, 'MAX_BATCH_SIZE'], [maxInFlightBytes, 'MAX_IN_FLIGHT_BYTES']),
    batchTasks: lower([maxBatchTasks, 'MAX_BATCH_TASKS'], [backlog, 'STREAM_MAXLEN']),
  };
}

function lower(one: readonly [number, string], other: readonly [number, string]): NamedLimit {
  const [most, name] = other[0] < one[0] ? other : one;
  return { most, name };
}

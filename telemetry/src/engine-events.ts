import type { ErrorCode } from '@sluice/contract';
import type { SpanDropReason } from './traces/span-counts.js';

/** The bounds at which requests are shed: of a process, of a stream, of Redis, and of a schedule. */
export const SHEDDING_REASONS = [
  'requests',
  'bytes',
  'tasks',
  'backlog',
  'drain-time',
  'redis-memory',
  'schedule',
] as const;

export type SheddingReason = (typeof SHEDDING_REASONS)[number];

/** What can happen in an engine besides a request being answered; requests are counted, not reported. */
export type EngineEvent =
  | { type: 'listening'; url: string; processes: number }
  /** The first connection to Redis is there, and none was lost before. */
  | { type: 'redis-found' }
  /** The connection over which `GET /tasks/{id}` asks Redis is there for the first time. */
  | { type: 'status-lookup-found' }
  | { type: 'redis-lost'; reason: string }
  | { type: 'redis-back'; downMs: number }
  | { type: 'append-refused'; code: string; message: string }
  /** Redis has refused so many tasks of a stream in a row: they are answered 503 at once, but for a probe now and then. */
  | { type: 'breaker-opened'; stream: string; refusals: number; reason: string }
  | { type: 'breaker-closed'; stream: string; openMs: number }
  | {
      type: 'shedding-started';
      /** Which bound was reached. */
      reason: SheddingReason;
    }
  | { type: 'shedding-stopped' }
  | { type: 'entries-trimmed'; stream: string; count: number }
  /** The file of API keys has changed; these are valid from now on. */
  | { type: 'api-keys-loaded'; file: string; keys: number }
  /** The file of API keys has changed and is wrong, or is gone: the keys from before stay valid. */
  | { type: 'api-keys-refused'; file: string; reason: string }
  | {
      type: 'process-died';
      pid: number;
      exit: string;
      restartInMs: number;
      /** What nobody has caught there, if that was it. */
      error?: unknown;
    }
  /** Spans that were not delivered, since the last such event; at most one a minute. */
  | { type: 'spans-dropped'; count: number; reasons: Partial<Record<SpanDropReason, number>> }
  /** Telemetry that could not be delivered, in all; told once a minute at most. */
  | { type: 'telemetry-dropped'; sink: 'statsd' | 'sentry'; count: number; reason: string }
  | { type: 'shutdown-started'; signal: string }
  | { type: 'shutdown-finished'; inTime: boolean; durationMs: number }
  /** `traceContext`: the traceparent of the request, where it met one. */
  | { type: 'internal-error'; where: string; error: unknown; traceContext?: string };

export type EngineListener = (event: EngineEvent) => void;

/** Counters of one engine process. Plain fields: the request path adds to them and calls nobody. */
export interface EngineCounters {
  requests: number;
  /** Tasks; a batch is one request with many. */
  accepted: number;
  /** Of the accepted, those whose task was stored before, with the same `Idempotency-Key`. */
  replayed: number;
  /** Tasks too, but a request that was refused as a whole counts once. */
  refused: Partial<Record<ErrorCode, number>>;
  /** Requests shed, by the bound that was reached. A batch of which tasks find the schedule full counts once. */
  shed: Partial<Record<SheddingReason, number>>;
  /** Requests whose client went away before the answer; their tasks may be in the stream. */
  aborted: number;
  appended: number;
  batches: number;
  inFlightRequests: number;
  inFlightBytes: number;
  /** Tasks of batches. */
  inFlightBatchTasks: number;
  /** How often Redis had refused so many tasks of a stream that further ones were refused without asking it. */
  breakerOpened: number;
  /** Spans that were delivered. */
  spansExported: number;
  /** Spans that were not, and why. */
  spansDropped: Partial<Record<SpanDropReason, number>>;
}

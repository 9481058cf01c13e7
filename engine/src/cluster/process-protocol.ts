import type { EngineFigures, LogOptions, SentryOptions, UnexpectedError } from '@sluice/telemetry';
import type { Health } from '../http/health.js';
import type { ProcessDropped } from '../metrics/dropped-totals.js';
import type { ResolvedEngineOptions } from '../options.js';

/** What the primary tells an engine process. */
export type ToProcess =
  | {
      type: 'start';
      options: ResolvedEngineOptions;
      schemaModule: string | undefined;
      log: LogOptions & SentryOptions;
      apiKeysText: string | undefined;
    }
  | { type: 'stop' };

/** What an engine process tells the primary. */
export type FromProcess =
  | { type: 'ready' }
  | { type: 'failed'; message: string }
  /** Sent twice a second; a process that falls silent hangs. */
  | { type: 'status'; health: Health; ready: boolean; figures: EngineFigures; dropped: ProcessDropped }
  /** For Sentry. */
  | { type: 'unexpected'; error: UnexpectedError }
  /** What nobody has caught, sent with its last breath. */
  | { type: 'crashed'; error: { name: string; message: string; stack: string } }
  | {
      type: 'stopped';
      answered: number;
      unanswered: number;
      figures: EngineFigures | undefined;
      dropped: ProcessDropped;
    };

/** How often a process reports its status. */
export const STATUS_EVERY_MS = 500;

import type { EngineCounters } from '@sluice/telemetry';
import type { Access } from '../access/access.js';
import type { Admission } from '../admission/admission.js';
import type { AckLevel } from '../append/ack-level.js';
import type { AckLevels } from '../append/ack-levels.js';
import type { Batcher } from '../append/batcher.js';
import type { RefusalCode } from '../http/answers.js';
import type { RequestTimes } from '../metrics/request-times.js';

/** What the intake of an engine process works with. */
export interface IntakeOptions {
  ackMode: AckLevel;
  maxPayloadSize: number;
  maxDepth: number;
  allowChunked: boolean;
  admission: Admission;
  batcher: Batcher;
  levels: AckLevels;
  counters: EngineCounters;
  times: RequestTimes;
  /** Nothing where anybody may send, and no web page. */
  access: Access | undefined;
  /** Redis refused an append, or a task already answered 202 in mode `received` was lost. */
  onAppendRefused: (code: RefusalCode, reason: string) => void;
  /** With the traceparent of the request, where there is one. */
  onInternalError: (where: string, error: unknown, traceContext?: string) => void;
}

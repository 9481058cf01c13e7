import type { ContentType } from '@sluice/contract';
import type { TaskName } from './task-names.js';

/** What is written of a task beside its payload and the time. */
export interface TaskHead extends TaskName {
  readonly contentType: ContentType;
  /** The traceparent it came with; undefined: the one of its name. */
  readonly traceContext: string | undefined;
  /** The tracestate it came with. */
  readonly traceState: string | undefined;
}

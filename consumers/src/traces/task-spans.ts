import { isTraceparent, newTraceparent } from '@sluice/contract';
import { type RingMemory, SpanClock, TaskRecorder, taskError } from '@sluice/telemetry';
import type { Outcome } from '../settling/outcome.js';

/** The span of one run. */
export interface TaskSpan {
  /** Of `SpanClock`. */
  readonly startedAt: number;
  readonly traceparent: string;
  /** Span id of the request that the task came with; the empty string when it came with none. */
  readonly parentId: string;
}

/** What a span says of its task. */
export interface TracedTask {
  readonly taskId: string;
  readonly taskType: string;
  readonly traceContext: string;
  readonly traceState: string;
  readonly deliveries: number;
  span: TaskSpan | undefined;
}

/** What is needed of `@opentelemetry/api`, which is there only where tasks are traced. */
type Api = typeof import('@opentelemetry/api');

/** Makes the `task_processing_span` of each run in a worker thread, and gives it to the handler as its context. */
export class TaskSpans {
  readonly #api: Api | undefined;
  readonly #recorder: TaskRecorder;
  readonly #clock = new SpanClock();

  protected constructor(memory: RingMemory, api: Api | undefined) {
    this.#recorder = new TaskRecorder(memory);
    this.#api = api;
  }

  /** Sees to it that contexts follow promises and callbacks, unless whoever owns the process has done so. */
  static async open(memory: RingMemory, Spans = TaskSpans): Promise<TaskSpans> {
    const api = await import('@opentelemetry/api').catch(() => undefined);
    const hooks = await import('@opentelemetry/context-async-hooks').catch(() => undefined);
    if (api !== undefined && hooks !== undefined) {
      api.context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
    }
    return new Spans(memory, api);
  }

  /** Runs a handler with the span of its task as the active one. */
  run(task: TracedTask, handler: () => unknown): unknown {
    const span = this.#begin(task);
    task.span = span;
    const api = this.#api;
    if (api === undefined) return handler();
    const [, traceId = '', spanId = ''] = span.traceparent.split('-');
    const ids = { traceId, spanId, traceFlags: 1 };
    const isPassedOn = task.traceState !== '' && span.parentId !== '';
    const own = isPassedOn ? { ...ids, traceState: api.createTraceState(task.traceState) } : ids;
    const context = api.trace.setSpanContext(api.ROOT_CONTEXT, own);
    return api.context.with(context, handler);
  }

  /** A run has ended, or was not begun since the task cannot be given to any handler. */
  end(task: TracedTask, outcome: Outcome): void {
    const { startedAt, traceparent, parentId } = task.span ?? this.#begin(task);
    this.#recorder.write({
      startedAt,
      endedAt: this.#clock.now(),
      traceparent,
      parentId,
      taskId: task.taskId,
      taskType: task.taskType,
      attempt: task.deliveries,
      outcome: outcome.kind,
      reason: outcome.kind === 'dead' ? outcome.reason : '',
      error: outcome.kind === 'done' ? '' : taskError(outcome.evidence.name, 'names'),
    });
  }

  #begin({ traceContext }: TracedTask): TaskSpan {
    const startedAt = this.#clock.now();
    const own = newTraceparent();
    if (!isTraceparent(traceContext)) return { startedAt, traceparent: own, parentId: '' };
    const [, traceId = '', parentId = ''] = traceContext.split('-');
    return { startedAt, traceparent: `00-${traceId}-${own.slice(36)}`, parentId };
  }
}

import type { ConsumerEvent, ConsumerListener } from '../consumer-events.js';
import type { EngineEvent, EngineListener } from '../engine-events.js';
import { type ErrorMessages, internalErrorFields, taskError } from '../error-fields.js';

/** An error that nobody expected, with no more of it than may be told. */
export interface UnexpectedError {
  /** Which part met it. */
  readonly where: string;
  /** Its class. */
  readonly error: string;
  readonly level: 'error' | 'fatal';
  readonly code?: string;
  /** Its message, where it quotes nothing. */
  readonly reason?: string;
  /** Where it was thrown, a frame a line; empty where nobody knows. */
  readonly stack: string;
  readonly taskType?: string;
  readonly taskId?: string;
  /** The traceparent of what was being done. */
  readonly traceContext?: string;
}

/** Whoever is told of such errors. */
export interface ErrorReporter {
  report(error: UnexpectedError): void;
}

/** How an error is reported that ends a program or a thread. */
export function unexpectedError(
  where: string,
  thrown: unknown,
  messages: ErrorMessages,
  level: UnexpectedError['level'] = 'error',
): UnexpectedError {
  return { where, level, ...internalErrorFields(thrown, messages) };
}

/** Reports what of the events of an engine nobody expects. */
export function reportEngineErrors(to: ErrorReporter, messages: ErrorMessages = 'names'): EngineListener {
  return (event) => {
    const error = unexpectedOfEngine(event, messages);
    if (error !== undefined) to.report(error);
  };
}

/**
 * Reports what of the events of a consumer nobody expects. A handler that throws is not among it, but one that brings
 * down its thread is.
 */
export function reportConsumerErrors(to: ErrorReporter, messages: ErrorMessages = 'names'): ConsumerListener {
  return (event) => {
    const error = unexpectedOfConsumer(event, messages);
    if (error !== undefined) to.report(error);
  };
}

function unexpectedOfEngine(event: EngineEvent, messages: ErrorMessages): UnexpectedError | undefined {
  switch (event.type) {
    case 'internal-error':
      return withTrace(unexpectedError(event.where, event.error, messages), event.traceContext);
    case 'process-died':
      return event.error === undefined
        ? ended('engine process', 'ProcessDied', `it ended with ${event.exit}`)
        : unexpectedError('engine process', event.error, messages);
    default:
      return undefined;
  }
}

function unexpectedOfConsumer(event: ConsumerEvent, messages: ErrorMessages): UnexpectedError | undefined {
  switch (event.type) {
    case 'internal-error':
      return unexpectedError(event.where, event.error, messages);
    case 'thread-replaced':
      return event.reason === 'hung'
        ? ended('worker thread', 'ThreadHung', event.detail)
        : ended('worker thread', 'ThreadDied', taskError(event.detail, messages));
    case 'task-retried':
    case 'task-dead':
      return crashOf(event);
    case 'tasks-lost':
      return ended('stream', 'TasksLost', `${event.entryIds.length} entries of ${event.stream} are gone`);
    case 'crash-loop':
      return { ...ended('worker threads', 'CrashLoop', taskError(event.detail, messages)), level: 'fatal' };
    default:
      return undefined;
  }
}

/** The task that has brought its thread down, by the name its supervisor gives to that. */
function crashOf(event: Extract<ConsumerEvent, { type: 'task-retried' | 'task-dead' }>) {
  const name = event.error.split(':', 1)[0] ?? '';
  if (name !== 'ThreadHung' && name !== 'ThreadDied') return undefined;
  const { taskId, taskType, traceContext } = event;
  const what = name === 'ThreadHung' ? 'the task blocked its thread' : 'the thread of the task died';
  return withTrace({ ...ended('task', name, what), taskId, taskType }, traceContext);
}

function ended(where: string, error: string, reason: string): UnexpectedError {
  return { where, error, level: 'error', reason, stack: '' };
}

function withTrace(error: UnexpectedError, traceContext: string | undefined): UnexpectedError {
  return traceContext === undefined || traceContext === '' ? error : { ...error, traceContext };
}

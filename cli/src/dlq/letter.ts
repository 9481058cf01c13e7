import { DEFAULT_TASK_TYPE, queueKeys } from '@sluice/contract';
import { timeOf } from '../entry-id.js';

/** An entry of the dead-letter stream: the task as it was, and why it will not be tried again. */
export interface DeadLetter {
  /** Id in the dead-letter stream. */
  readonly id: string;
  /** When the task died, in Redis milliseconds. */
  readonly diedAt: number;
  /** Empty when the entry had none. */
  readonly taskId: string;
  readonly type: string;
  /** When it was accepted, ISO 8601; empty when the entry did not say. */
  readonly timestamp: string;
  readonly contentType: string;
  /** Nothing when the entry had none. */
  readonly payload: Buffer | undefined;
  readonly traceContext: string;
  /** How often it was sent back to its stream before. */
  readonly redrives: number;
  /** Empty when consumers of Sluice did not write it; there is then nothing to send it back to. */
  readonly reason: string;
  readonly attempts: number;
  readonly crashes: number;
  readonly errorName: string;
  readonly errorMessage: string;
  readonly errorStack: string;
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
  readonly consumer: string;
  readonly group: string;
  readonly sourceStream: string;
  readonly sourceId: string;
}

/** Reads an entry of the dead-letter stream, whoever wrote it. */
export function readLetter(id: string, fields: readonly Buffer[], streamName: string): DeadLetter {
  const facts = startOfFacts(fields);
  const task = fieldsOf(fields.slice(0, facts));
  const death = fieldsOf(fields.slice(facts));
  const text = (from: ReadonlyMap<string, Buffer>, name: string) => from.get(name)?.toString() ?? '';
  const sourceStream = text(death, 'source_stream');
  return {
    id,
    diedAt: timeOf(id),
    taskId: text(task, 'task_id'),
    type: text(task, 'type') || typeOf(sourceStream, streamName),
    timestamp: text(task, 'timestamp'),
    contentType: text(task, 'content_type') || 'application/json',
    payload: task.get('payload'),
    traceContext: text(task, 'trace_context'),
    redrives: Number(text(task, 'redrives')) || 0,
    reason: text(death, 'reason'),
    attempts: Number(text(death, 'attempts')) || 0,
    crashes: Number(text(death, 'crashes')) || 0,
    errorName: text(death, 'error_name'),
    errorMessage: text(death, 'error_message'),
    errorStack: text(death, 'error_stack'),
    firstFailedAt: text(death, 'first_failed_at'),
    lastFailedAt: text(death, 'last_failed_at'),
    consumer: text(death, 'consumer'),
    group: text(death, 'group'),
    sourceStream,
    sourceId: text(death, 'source_id'),
  };
}

/** What went wrong, in one line. */
export function errorOf({ errorName, errorMessage }: DeadLetter): string {
  return errorMessage === '' ? errorName : `${errorName}: ${errorMessage}`;
}

/** Whether its consumers wrote it, and it can go back to where it came from. */
export function isRedrivable(
  { reason, group, sourceStream }: Pick<DeadLetter, 'reason' | 'group' | 'sourceStream'>,
  streamName: string,
): boolean {
  const isOurs = sourceStream === streamName || sourceStream.startsWith(`${streamName}:`);
  return reason !== '' && group !== '' && isOurs;
}

/** Consumers add what happened after the fields of the task, `reason` first: a task may have a field of that name. */
function startOfFacts(fields: readonly Buffer[]): number {
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    if (fields[i]?.toString('latin1') === 'reason') return i;
  }
  return fields.length;
}

/** Of fields that are there twice the last one counts, as consumers read them. */
function fieldsOf(pairs: readonly Buffer[]): Map<string, Buffer> {
  const fields = new Map<string, Buffer>();
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    fields.set(pairs[i]?.toString() ?? '', pairs[i + 1] ?? Buffer.alloc(0));
  }
  return fields;
}

function typeOf(stream: string, streamName: string): string {
  if (stream === queueKeys(streamName).stream(DEFAULT_TASK_TYPE)) return DEFAULT_TASK_TYPE;
  return stream.startsWith(`${streamName}:`) ? stream.slice(streamName.length + 1) : '';
}

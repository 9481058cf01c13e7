import { randomUUID } from 'node:crypto';
import { MESSAGE_FIELDS, SluiceError, type TaskType } from '@sluice/contract';
import type { LoadedHandler } from '../handlers/handler-registry.js';
import { schemaCheck } from '../handlers/handler-registry.js';

/** What a producer may say of a task besides its data. */
export interface AddOptions {
  /** @default a random UUID */
  readonly id?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** ISO 8601. @default the virtual time */
  readonly timestamp?: string;
  /** W3C traceparent. @default the empty string */
  readonly traceparent?: string;
}

const checks = new WeakMap<object, LoadedHandler['faultsOf']>();

/**
 * The fields of the entry that the engine would append for a task.
 *
 * @throws SluiceError `VALIDATION_ERROR` when the data does not match the schema of the type, as the engine's 422
 */
export function messageOf(
  type: TaskType | string,
  handler: LoadedHandler,
  data: unknown,
  { id = randomUUID(), metadata, timestamp, traceparent = '' }: AddOptions,
  now: number,
): Record<(typeof MESSAGE_FIELDS)[number], string> {
  const name = typeof type === 'string' ? type : type.name;
  const payload = JSON.stringify({ data, metadata });
  // What arrives, not what was passed: a Date is a string by then.
  const { data: arrived } = JSON.parse(payload) as { data?: unknown };
  if (arrived === undefined) throw refused(name, 'it cannot be written as JSON');
  const faults = (typeof type === 'string' ? handler.faultsOf : checkOf(type))(arrived);
  if (faults !== undefined) throw refused(name, faults);
  return {
    task_id: id,
    timestamp: timestamp ?? new Date(now).toISOString(),
    type: name,
    content_type: 'application/json',
    payload,
    trace_context: traceparent,
  };
}

/** Fields as they stand in the stream: those of a task in their usual order, then the others. */
export function entryOf(fields: Readonly<Record<string, string | Buffer>>): Buffer[] {
  const known: string[] = MESSAGE_FIELDS.filter((name) => name in fields);
  const others = Object.keys(fields).filter((name) => !known.includes(name));
  return [...known, ...others].flatMap((name) => [Buffer.from(name), Buffer.from(fields[name] ?? '')]);
}

function checkOf(type: TaskType): LoadedHandler['faultsOf'] {
  let check = checks.get(type.data);
  if (check === undefined) {
    check = schemaCheck(type.data);
    checks.set(type.data, check);
  }
  return check;
}

function refused(type: string, why: string): SluiceError {
  return new SluiceError('VALIDATION_ERROR', `the data of a task of type "${type}" is not valid: ${why}`);
}

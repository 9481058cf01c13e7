import { readMessage, SluiceError, type TaskMessage } from '@sluice/contract';
import type { Task } from '../handlers/handler.js';
import type { LoadedHandler } from '../handlers/handler-registry.js';
import type { Entry } from '../reading/entry.js';
import type { DeadReason } from '../settling/outcome.js';
import { decodePayload, type Payload } from './payload.js';

/** Says that an entry cannot be given to any handler, however often it is tried. */
export class Poison extends Error {
  override readonly name = 'Poison';
  readonly reason: DeadReason;

  constructor(reason: DeadReason, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

/** A task and who is to run it. */
export interface RunnableTask {
  readonly handler: LoadedHandler;
  readonly task: Task;
}

/**
 * Notes on an entry what events say of it.
 *
 * @throws Poison when it is no task at all
 */
export function noteNames(entry: Entry): TaskMessage {
  const message = messageOf(entry);
  entry.taskId = message.taskId;
  entry.taskType = message.type;
  entry.traceContext = message.traceContext;
  entry.traceState = message.traceState;
  entry.isTracked = message.isTracked;
  return message;
}

/**
 * Makes a task of an entry: reads its fields, finds its handler, decodes the payload and checks the data.
 * Also notes on the entry what events say of it.
 *
 * @throws Poison when it cannot
 */
export function readTask(entry: Entry, handlers: ReadonlyMap<string, LoadedHandler>): RunnableTask {
  const message = noteNames(entry);
  const handler = handlers.get(message.type);
  if (handler === undefined) {
    const known = [...handlers.keys()].join(', ');
    throw new Poison('unknown-type', `no handler for task type "${message.type}"; there are: ${known}`);
  }
  const { data, metadata } = payloadOf(message);
  entry.fields = [];
  const faults = handler.faultsOf(data);
  if (faults !== undefined) throw new Poison('schema-mismatch', faults);
  const task: Task = {
    id: message.taskId,
    type: message.type,
    data,
    metadata,
    attempt: entry.deliveries,
    timestamp: message.timestamp,
    traceparent: message.traceContext,
    tracestate: message.traceState,
  };
  return { handler, task };
}

function messageOf(entry: Entry): TaskMessage {
  try {
    return readMessage(entry.fields);
  } catch (error) {
    throw poisonOf(error);
  }
}

function payloadOf(message: TaskMessage): Payload {
  try {
    return decodePayload(message.contentType, message.payload);
  } catch (error) {
    throw poisonOf(error);
  }
}

function poisonOf(error: unknown): unknown {
  if (!(error instanceof SluiceError)) return error;
  if (error.code === 'MISSING_FIELD') return new Poison('missing-field', error.message, error);
  if (error.code === 'UNDECODABLE') return new Poison('undecodable', error.message, error);
  return error;
}

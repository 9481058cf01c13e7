import { SluiceError } from './errors.js';

/** The encodings a payload can have; the field `content_type` of an entry says which. */
export type ContentType = 'application/json' | 'application/msgpack';

/**
 * The fields of a stream entry, in the order they are written. Always all of them and always in this order:
 * Redis then stores the names once per node of the stream rather than once per entry.
 */
export const MESSAGE_FIELDS = [
  'task_id',
  'timestamp',
  'type',
  'content_type',
  'payload',
  'trace_context',
] as const;

/** A field after those, in entries whose request came with a W3C tracestate. */
export const TRACE_STATE_FIELD = 'trace_state';

/** A field after those, in entries whose task is tracked: for how many milliseconds its status is kept. */
export const TRACKED_FIELD = 'tracked';

/** One task as it stands in the stream, readable by any Redis client in any language. */
export interface TaskMessage {
  /** UUID given out in the 202. */
  readonly taskId: string;
  /** When the engine accepted it, ISO 8601 in UTC. */
  readonly timestamp: string;
  readonly type: string;
  readonly contentType: ContentType;
  /** The body as it came in, byte for byte unless it had to be sanitised. */
  readonly payload: Buffer;
  /** W3C traceparent; the empty string when the producer gave none. */
  readonly traceContext: string;
  /** W3C tracestate; the empty string when the producer gave none. */
  readonly traceState: string;
  /** Its status can be asked for, so that who settles it has to say so. */
  readonly isTracked: boolean;
}

/**
 * Reads the fields of an entry (name, value, name, value …), whoever wrote it.
 * `timestamp`, `content_type` and `trace_context` may be missing; unknown fields are passed over.
 *
 * @throws SluiceError `MISSING_FIELD` or `UNDECODABLE`, naming the field.
 */
export function readMessage(fields: readonly Buffer[]): TaskMessage {
  let taskId = '';
  let timestamp = '';
  let type = '';
  let contentType = 'application/json';
  let payload: Buffer | undefined;
  let traceContext = '';
  let traceState = '';
  let isTracked = false;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const value = fields[i + 1] as Buffer; // i + 1 < length
    switch ((fields[i] as Buffer).toString('latin1')) {
      case 'task_id':
        taskId = value.toString();
        break;
      case 'timestamp':
        timestamp = value.toString('latin1');
        break;
      case 'type':
        type = value.toString();
        break;
      case 'content_type':
        contentType = value.toString('latin1');
        break;
      case 'payload':
        payload = value;
        break;
      case 'trace_context':
        traceContext = value.toString('latin1');
        break;
      case TRACE_STATE_FIELD:
        traceState = value.toString('latin1');
        break;
      case TRACKED_FIELD:
        isTracked = true;
        break;
    }
  }
  if (taskId === '') throw missing('task_id');
  if (type === '') throw missing('type');
  if (payload === undefined) throw missing('payload');
  if (contentType !== 'application/json' && contentType !== 'application/msgpack') {
    throw new SluiceError(
      'UNDECODABLE',
      `content_type is ${JSON.stringify(contentType)}; allowed: application/json, application/msgpack`,
    );
  }
  return { taskId, timestamp, type, contentType, payload, traceContext, traceState, isTracked };
}

function missing(field: string): SluiceError {
  return new SluiceError('MISSING_FIELD', `the entry has no field ${field}; needed: task_id, type, payload`);
}

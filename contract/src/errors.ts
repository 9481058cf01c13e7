import { inspect } from 'node:util';

/** Every code a Sluice service or library can answer with. Stable: clients may switch on it. */
export type ErrorCode =
  // refused because of what was sent
  | 'BAD_REQUEST'
  | 'INVALID_JSON'
  | 'INVALID_MSGPACK'
  | 'INVALID_UTF8'
  | 'PAYLOAD_TOO_DEEP'
  | 'FORBIDDEN_KEY'
  | 'VALIDATION_ERROR'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'PAYLOAD_TOO_LARGE'
  | 'LENGTH_REQUIRED'
  | 'REQUEST_TIMEOUT'
  | 'UNKNOWN_TASK_TYPE'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'INVALID_IDEMPOTENCY_KEY'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'INVALID_PREFERENCE'
  | 'INVALID_TASK_ID'
  | 'TASK_NOT_FOUND'
  | 'TRACKING_OFF'
  // refused because of the state of the service
  | 'OVERLOADED'
  | 'SHUTTING_DOWN'
  | 'REDIS_UNAVAILABLE'
  | 'APPEND_REFUSED'
  | 'APPEND_UNCONFIRMED'
  | 'ACK_LEVEL_UNAVAILABLE'
  | 'ACK_LEVEL_NOT_REACHED'
  | 'INTERNAL_ERROR'
  // wrong start
  | 'INVALID_OPTIONS'
  | 'PORT_IN_USE'
  | 'CRASH_LOOP'
  // consumers
  | 'HANDLER_MODULE'
  | 'SCHEDULE_MODULE'
  | 'NOT_DRAINED'
  | 'UNDECODABLE'
  | 'MISSING_FIELD';

/** One fault of one value: where it is (JSON Pointer, RFC 6901) and what was wrong with it. */
export interface Fault {
  path: string;
  reason: string;
}

/** The one error class of Sluice: a stable `code`, a sentence that says what to change, and the cause. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: ErrorCode;
  readonly details: readonly Fault[] | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: readonly Fault[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }
}

/** What a thrown value says of itself, whatever was thrown: errors, strings, null, circular objects. Never throws. */
export function describeThrown(thrown: unknown): { name: string; message: string; stack: string } {
  try {
    if (thrown instanceof Error) {
      // A subclass, or whoever threw it, may have put anything into these fields.
      return {
        name: String(thrown.name),
        message: String(thrown.message),
        stack: String(thrown.stack ?? ''),
      };
    }
    return { name: nameOfThrown(thrown), message: textOfThrown(thrown), stack: '' };
  } catch {
    return { name: nameOfThrown(thrown), message: 'a value that cannot be shown as text', stack: '' };
  }
}

function nameOfThrown(thrown: unknown): string {
  const type = thrown === null ? 'null' : typeof thrown;
  return `Thrown${type.charAt(0).toUpperCase()}${type.slice(1)}`;
}

function textOfThrown(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  // Shows circular objects too, and calls neither their getters nor their toString.
  return inspect(thrown, { depth: 2, maxArrayLength: 20, maxStringLength: 1000, breakLength: Infinity });
}

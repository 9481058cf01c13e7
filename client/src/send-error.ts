/** One thing that was wrong with a task: where, as a JSON Pointer, and what. */
export interface ErrorDetail {
  readonly path: string;
  readonly reason: string;
}

/** A task that was not accepted. */
export class SendError extends Error {
  override readonly name = 'SendError';
  /**
   * The code Sluice answered with (`VALIDATION_ERROR`, `OVERLOADED` …), or one of the client: `UNREACHABLE` no answer came,
   * `UNREADABLE_ANSWER` it was none of Sluice's, `QUEUE_FULL` too many were waiting to be sent, `QUEUE_TIMEOUT` it waited for too long
   * itself, `ABORTED` by its signal, `UNSENDABLE` it cannot be written as a request (a cycle or a BigInt in the data, a
   * line feed in the key).
   */
  readonly code: string;
  /** Status of the last answer; undefined when none came. */
  readonly status: number | undefined;
  readonly details: readonly ErrorDetail[];
  /** How often it was sent. */
  readonly attempts: number;
  /** Whether it may have been stored all the same. Sent again with the same key, it is not stored twice. */
  readonly mayBeStored: boolean;
  readonly idempotencyKey: string;

  constructor(
    message: string,
    facts: {
      code: string;
      status?: number | undefined;
      details?: readonly ErrorDetail[];
      attempts: number;
      mayBeStored: boolean;
      idempotencyKey: string;
      cause?: unknown;
    },
  ) {
    super(message, { cause: facts.cause });
    this.code = facts.code;
    this.status = facts.status;
    this.details = facts.details ?? [];
    this.attempts = facts.attempts;
    this.mayBeStored = facts.mayBeStored;
    this.idempotencyKey = facts.idempotencyKey;
  }
}

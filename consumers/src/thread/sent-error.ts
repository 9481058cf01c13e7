import { describeThrown } from '@sluice/contract';

/** An error that survives being sent between threads: a clone loses its class, and own properties of some have none. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** As errors of Node and of the system have them. */
  readonly code: unknown;
  readonly syscall: unknown;
}

/** What is sent of a thrown value. */
export function sendableError(thrown: unknown): SentError {
  return {
    ...describeThrown(thrown),
    code: textIn(thrown, 'code'),
    syscall: textIn(thrown, 'syscall'),
  };
}

/** The error again, on the other side. */
export function receivedError(sent: unknown): Error {
  const { name, message, stack, code, syscall } = sent as SentError; // what sendableError has made
  const error = new Error(message);
  return Object.assign(
    error,
    { name, stack },
    code === undefined ? {} : { code },
    syscall === undefined ? {} : { syscall },
  );
}

function textIn(thrown: unknown, property: string): string | undefined {
  try {
    const value = Object(thrown)[property] as unknown; // of an object, or of what a primitive is wrapped in
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined; // a getter that throws
  }
}

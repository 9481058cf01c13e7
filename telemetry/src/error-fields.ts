import { describeThrown, SluiceError } from '@sluice/contract';

/**
 * What is told of errors that may quote a payload: `names` their class only, `messages` all. A handler that refuses
 * `no account for anna@example.org` would otherwise put Anna into every log that is kept somewhere.
 */
export type ErrorMessages = 'names' | 'messages';

const LONGEST_MESSAGE = 500;
const MOST_FRAMES = 20;
/** As classes are named; anything else somebody has put there. */
const CLASS_NAME = /^[A-Za-z_$][\w$]{0,63}$/;
/** Errors of Redis and its client: they say what Redis is in, or names of keys, never values. */
const REDIS_ERRORS: ReadonlySet<string> = new Set(['ReplyError', 'MaxRetriesPerRequestError']);

/**
 * What may be told of why a task failed.
 *
 * @param error `<name>: <message>`, as events have it
 */
export function taskError(error: string, messages: ErrorMessages): string {
  if (messages === 'messages') return error;
  const name = error.split(':', 1)[0] ?? '';
  return CLASS_NAME.test(name) ? name : 'Error';
}

/**
 * What may be told of an error nobody expected: its name, its code and where it was thrown; its message when it comes
 * from Sluice, Redis or the system, or when messages are wanted. V8 and Node quote values in theirs.
 */
export function internalErrorFields(
  thrown: unknown,
  messages: ErrorMessages,
): { error: string; code?: string; reason?: string; stack: string } {
  const { name, message, stack } = describeThrown(thrown);
  const code = codeOf(thrown);
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return {
    error: CLASS_NAME.test(name) ? name : 'Error',
    ...(code === undefined ? {} : { code }),
    ...(messages === 'messages' || quotesNothing(thrown, name)
      ? { reason: withoutCredentials(message).slice(0, LONGEST_MESSAGE) }
      : {}),
    stack: frames.slice(0, MOST_FRAMES).join('\n'),
  };
}

/** User and password of every URL in a text. */
export function withoutCredentials(text: string): string {
  return text.replace(/(\b[a-z][a-z\d+.-]*:\/\/)[^\s/@]*(?:@[^\s/@]*)*@/gi, '$1***@');
}

function quotesNothing(thrown: unknown, name: string): boolean {
  if (thrown instanceof SluiceError || REDIS_ERRORS.has(name)) return true;
  // Of the system: which call, which address, which code.
  return thrown instanceof Error && 'syscall' in thrown && typeof thrown.syscall === 'string';
}

function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  const { code } = thrown;
  return typeof code === 'string' && /^[\w-]{1,64}$/.test(code) ? code : undefined;
}

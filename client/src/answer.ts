/** The JSON object in an answer; undefined when there is none. */
export function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The error that an answer states, if it does. */
export function errorIn(body: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  const error = body?.error;
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : undefined;
}

/** Why no answer came. `fetch` says no more than that it failed, and names the reason as the cause. */
export function whyNone(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { cause } = thrown;
  if (!(cause instanceof Error)) return thrown.message;
  if (cause.message !== '') return cause.message;
  // Where a name has several addresses and none answers, there is a code and no message.
  return 'code' in cause ? String(cause.code) : thrown.message;
}

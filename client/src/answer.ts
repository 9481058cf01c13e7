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

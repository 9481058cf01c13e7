/** How error replies begin that any command which writes would get just now, whatever its key. */
const OF_ALL_OF_REDIS = new Set([
  'OOM',
  'MISCONF',
  'READONLY',
  'LOADING',
  'MASTERDOWN',
  'NOREPLICAS',
  'CLUSTERDOWN',
  'NOAUTH',
]);

/** The code that an error reply of Redis begins with, such as `OOM`; `ERR` where it has none. It tells nothing of keys or data. */
export function refusalCause(reason: string): string {
  return /^[A-Z]{2,20}(?= |$)/.exec(reason)?.[0] ?? 'ERR';
}

/** Whether whatever is written would be refused for it, and not only what was. */
export function concernsAllOfRedis(cause: string): boolean {
  return OF_ALL_OF_REDIS.has(cause);
}

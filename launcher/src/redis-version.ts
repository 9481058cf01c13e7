/** The oldest Redis whose stream commands we rely on (lag in XINFO GROUPS, entries-added). */
export const OLDEST_REDIS = '7.0';

/** Whether we can work with this version of Redis, or of Valkey, which began as Redis 7.2. */
export function isRecentEnough(version: string): boolean {
  const [oldest = 0] = OLDEST_REDIS.split('.').map(Number);
  return Number.parseInt(version, 10) >= oldest;
}

/** What is said of one that is not, after its name. */
export function tooOld(version: string): string {
  return `is version ${version}; needed: ${OLDEST_REDIS} or later`;
}

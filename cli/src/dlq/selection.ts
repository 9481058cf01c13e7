import type { Redis } from 'ioredis';
import { usageError } from '../command.js';
import { redisNow } from '../redis.js';
import { type FilterFlags, filterFlags, readFilter } from './filter-flags.js';
import type { LetterFilter } from './letters.js';

export interface SelectionFlags extends FilterFlags {
  all: boolean;
}

/** Nobody redrives or purges everything by leaving something out. @throws SluiceError `INVALID_OPTIONS` */
export function assertSelected(flags: SelectionFlags, ids: readonly string[]): void {
  if (flags.all && ids.length > 0) throw usageError('either ids or --all, not both');
  const isFiltered = Object.keys(filterFlags).some((name) => flags[name as keyof FilterFlags] !== undefined); // its own keys
  if (!flags.all && ids.length === 0 && !isFiltered) {
    const names = Object.keys(filterFlags).map((name) => `--${name}`);
    throw usageError(`which ones? give ids, --all, or a filter (${names.join(', ')})`);
  }
}

export async function selectionOf(
  redis: Redis,
  flags: SelectionFlags,
  ids: readonly string[],
): Promise<LetterFilter> {
  return readFilter(flags, ids, await redisNow(redis));
}

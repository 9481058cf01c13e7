import { queueKeys } from '@sluice/contract';
import type { Redis } from 'ioredis';
import { factOf } from '../reply.js';
import { type DeadLetter, errorOf, readLetter } from './letter.js';

/** Which dead letters are meant. What is left out does not matter. */
export interface LetterFilter {
  /** Ids in the dead-letter stream, or task ids. */
  ids?: readonly string[];
  types?: readonly string[];
  reasons?: readonly string[];
  /** Part of `name: message` of the error, in any case, or a pattern. */
  error?: string | RegExp;
  /** Died at this time or later, in Redis milliseconds. */
  since?: number;
  /** Died at this time or before, in Redis milliseconds. */
  until?: number;
  group?: string;
  /** Written after this letter. */
  after?: string;
}

/** Letters per XRANGE: payloads can be a megabyte each. */
const PAGE = 100;

const LETTER_ID = /^\d+-\d+$/;

/** The dead letters of a queue that a filter lets through, oldest first, as they are when their page is read. */
export async function* readLetters(
  redis: Redis,
  streamName: string,
  filter: LetterFilter = {},
): AsyncGenerator<DeadLetter> {
  const key = queueKeys(streamName).deadLetters;
  const { ids } = filter;
  if (ids?.every((id) => LETTER_ID.test(id))) {
    for (const id of new Set(ids)) yield* readRange(redis, key, streamName, id, id, filter);
    return;
  }
  const from = filter.after !== undefined ? `(${filter.after}` : startOf(filter.since);
  // What dies while we read is not meant: a task redriven by us may come back, and would be redriven for ever.
  const last = filter.until === undefined ? await lastId(redis, key) : String(Math.floor(filter.until));
  yield* readRange(redis, key, streamName, from, last, filter);
}

function startOf(since: number | undefined): string {
  return since === undefined ? '-' : String(Math.max(0, Math.ceil(since)));
}

/** The id of the newest dead letter there ever was; `0-0` before the first one. */
export async function lastId(redis: Redis, key: string): Promise<string> {
  if ((await redis.exists(key)) === 0) return '0-0';
  const info = (await redis.call('XINFO', 'STREAM', key)) as unknown[]; // name, value ...
  return String(factOf(info, 'last-generated-id'));
}

async function* readRange(
  redis: Redis,
  key: string,
  streamName: string,
  from: string,
  last: string,
  filter: LetterFilter,
): AsyncGenerator<DeadLetter> {
  for (let start = from; ; ) {
    const page = await redis.xrangeBuffer(key, start, last, 'COUNT', PAGE);
    for (const [id, fields] of page) {
      const letter = readLetter(id.toString(), fields, streamName);
      if (matches(letter, filter)) yield letter;
    }
    const end = page.at(-1);
    if (end === undefined || page.length < PAGE) return;
    start = `(${end[0]}`;
  }
}

export function matches(letter: DeadLetter, filter: LetterFilter): boolean {
  const { ids, types, reasons, error, since, until, group } = filter;
  if (ids !== undefined && !ids.includes(letter.id) && !ids.includes(letter.taskId)) return false;
  if (types !== undefined && !types.includes(letter.type)) return false;
  if (reasons !== undefined && !reasons.includes(letter.reason)) return false;
  if (since !== undefined && letter.diedAt < since) return false;
  if (until !== undefined && letter.diedAt > until) return false;
  if (group !== undefined && letter.group !== group) return false;
  if (error === undefined) return true;
  const text = errorOf(letter);
  return typeof error === 'string' ? text.toLowerCase().includes(error.toLowerCase()) : error.test(text);
}

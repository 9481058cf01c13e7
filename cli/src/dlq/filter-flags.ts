import { type Static, Type } from 'typebox';
import { usageError } from '../command.js';
import type { LetterFilter } from './letters.js';

/** The flags by which `sluice dlq` selects letters. */
export const filterFlags = {
  type: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), { value: 'type', description: 'Only tasks of this type.' }),
  ),
  reason: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      value: 'reason',
      description:
        'Only this reason: attempts-exhausted, unrecoverable, crashed, undecodable, unknown-type, missing-field, schema-mismatch.',
    }),
  ),
  error: Type.Optional(
    Type.String({
      minLength: 1,
      value: 'text',
      description:
        'Only errors whose "name: message" contains this text, in any case, or matches /pattern/flags.',
    }),
  ),
  since: Type.Optional(
    Type.String({
      minLength: 1,
      value: 'time',
      description:
        'Only those that died at this time or later: 90s, 30m, 2h or 7d ago, or a date as ISO 8601.',
    }),
  ),
  until: Type.Optional(
    Type.String({ minLength: 1, value: 'time', description: 'Only those that died at this time or before.' }),
  ),
  group: Type.Optional(
    Type.String({ minLength: 1, value: 'name', description: 'Only those of this consumer group.' }),
  ),
};

const schema = Type.Object(filterFlags);
export type FilterFlags = Static<typeof schema>;

/**
 * The filter that was typed.
 *
 * @param now Redis time in milliseconds, which "2h ago" is measured from
 * @throws SluiceError `INVALID_OPTIONS` for a time or pattern that is none
 */
export function readFilter(flags: FilterFlags, ids: readonly string[], now: number): LetterFilter {
  const { type, reason, error, since, until, group } = flags;
  return {
    ...(ids.length > 0 && { ids }),
    ...(type !== undefined && { types: type }),
    ...(reason !== undefined && { reasons: reason }),
    ...(error !== undefined && { error: readPattern(error) }),
    ...(since !== undefined && { since: readTime('--since', since, now) }),
    ...(until !== undefined && { until: readTime('--until', until, now) }),
    ...(group !== undefined && { group }),
  };
}

function readPattern(text: string): string | RegExp {
  const [, pattern, flags] = /^\/(.+)\/([a-z]*)$/s.exec(text) ?? [];
  if (pattern === undefined) return text;
  try {
    // Without g and y, which would make a test depend on the one before it.
    return new RegExp(pattern, flags?.replace(/[gy]/g, ''));
  } catch (cause) {
    throw usageError(`--error is ${text}: ${cause instanceof Error ? cause.message : cause}`);
  }
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function readTime(flag: string, text: string, now: number): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text.trim()) ?? [];
  const length = UNITS[unit];
  if (count !== undefined && length !== undefined) return now - Number(count) * length;
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) {
    throw usageError(
      `${flag} is "${text}"; allowed: 90s, 30m, 2h, 7d, or a date such as 2026-01-31T12:00:00Z`,
    );
  }
  return time;
}

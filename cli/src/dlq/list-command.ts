import { queueKeys } from '@sluice/contract';
import { Type } from 'typebox';
import { COMMON_EXIT_CODES, defineCommand } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { plural, shortened } from '../printable.js';
import { queueFlags } from '../queue-flags.js';
import { redisNow, withRedis } from '../redis.js';
import { table } from '../table.js';
import { filterFlags, readFilter } from './filter-flags.js';
import { type DeadLetter, errorOf } from './letter.js';
import { readLetters } from './letters.js';
import { LetterTally } from './tally.js';

const options = Type.Object({
  ...queueFlags,
  ...filterFlags,
  limit: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    default: 20,
    value: 'n',
    description: 'Most letters to list, the newest; all are counted.',
  }),
});

export const listCommand = defineCommand({
  usage: ['[filter] [options]'],
  about: [
    'Dead letters are tasks that will not be tried again: they failed as often as they may, their handler gave them up, or nobody could read them. They wait in the dead-letter stream until somebody redrives or purges them.',
  ],
  options,
  examples: [
    ['sluice dlq list', 'the newest twenty'],
    ['sluice dlq list --since 2h --type mail', 'what died lately of one type'],
    ["sluice dlq list --error '/timed? ?out/i' --limit 100", 'by pattern'],
    ['sluice dlq list --json --limit 1000000 | jq -r ".letters[].taskId"', 'all task ids'],
  ],
  exitCodes: [[EXIT.ok, 'listed, also when there are none'], ...COMMON_EXIT_CODES],
  run: (options, _, terminal) =>
    withRedis(options.redis, async (redis) => {
      const filter = readFilter(options, [], await redisNow(redis));
      const tally = new LetterTally();
      const newest: DeadLetter[] = [];
      for await (const letter of readLetters(redis, options.stream, filter)) {
        tally.add(letter);
        newest.push(letter);
        if (newest.length > options.limit) newest.shift();
      }
      const key = queueKeys(options.stream).deadLetters;
      newest.reverse();
      terminal.print(
        options.json
          ? JSON.stringify(
              { key, total: tally.total, counts: tally.rows(), letters: newest.map(summary) },
              undefined,
              2,
            )
          : listText(key, tally, newest, Object.keys(filter).length > 0),
      );
      return EXIT.ok;
    }),
});

function listText(
  key: string,
  tally: LetterTally,
  newest: readonly DeadLetter[],
  isFiltered: boolean,
): string {
  if (tally.total === 0) return `no dead letters in ${key}${isFiltered ? ' that fit' : ''}`;
  const lines = [`${plural(tally.total, 'dead letter')} in ${key}`, '', ...tally.lines()];
  if (newest.length === 0) return lines.join('\n');
  const rows = newest.map((letter) => [
    letter.id,
    letter.type,
    letter.reason || '(not ours)',
    letter.attempts,
    letter.redrives,
    shortened(errorOf(letter), 60),
    letter.taskId,
  ]);
  const head = ['id', 'type', 'reason', 'attempts', 'redrives', 'error', 'task'];
  lines.push('', ...table([head, ...rows]).map((line) => `  ${line}`));
  if (newest.length < tally.total)
    lines.push('', `  and ${tally.total - newest.length} older: --limit, or a filter`);
  return lines.join('\n');
}

/** A letter without what can be large; `sluice dlq show` has it. */
function summary({ payload, errorStack: _, diedAt, ...letter }: DeadLetter) {
  return { ...letter, diedAt: new Date(diedAt).toISOString(), payloadBytes: payload?.length ?? 0 };
}

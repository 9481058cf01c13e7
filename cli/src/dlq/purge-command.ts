import { queueKeys } from '@sluice/contract';
import { Type } from 'typebox';
import { COMMON_EXIT_CODES, defineCommand, flag, usageError } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { plural } from '../printable.js';
import { queueFlags } from '../queue-flags.js';
import { withRedis } from '../redis.js';
import type { Terminal } from '../terminal.js';
import { filterFlags } from './filter-flags.js';
import { readLetters } from './letters.js';
import { purge } from './purge.js';
import type { LetterRef } from './redrive-options.js';
import { assertSelected, selectionOf } from './selection.js';
import { LetterTally } from './tally.js';

const options = Type.Object({
  ...queueFlags,
  ...filterFlags,
  all: flag('All dead letters, or all that the filter lets through.'),
  'dry-run': flag('Say what would be deleted; do nothing.'),
  yes: flag('Do not ask. Without it the number of letters has to be typed.'),
});

export const purgeCommand = defineCommand({
  usage: ['<id>... [options]', '--all [filter] [options]', '<filter> [options]'],
  about: ['There is no way back. The audit counts what is purged as dropped, so that it goes on adding up.'],
  arguments: { name: 'id', most: 1000, description: 'Ids in the dead-letter stream, or task ids.' },
  options,
  examples: [
    ['sluice dlq purge --until 30d --dry-run', 'how many are older than a month?'],
    ['sluice dlq purge --until 30d --yes', 'delete them, for instance by cron'],
    ['sluice dlq purge --type mail --reason schema-mismatch', 'by type and reason; asks first'],
  ],
  exitCodes: [
    [EXIT.ok, 'deleted, or there was nothing to delete'],
    [EXIT.usage, 'the command line is wrong, or it was not confirmed; nothing was done'],
    ...COMMON_EXIT_CODES.filter(([code]) => code !== EXIT.usage),
  ],
  run: (options, ids, terminal) => {
    assertSelected(options, ids);
    return withRedis(options.redis, async (redis) => {
      const tally = new LetterTally();
      const letters: LetterRef[] = [];
      for await (const letter of readLetters(redis, options.stream, await selectionOf(redis, options, ids))) {
        const { id, group, reason, sourceStream } = letter;
        tally.add(letter);
        letters.push({ id, group, reason, sourceStream });
      }
      if (options['dry-run']) {
        const done = {
          dryRun: true,
          selected: letters.length,
          ids: letters.map(({ id }) => id),
          counts: tally.rows(),
        };
        const text = [
          `would delete ${plural(letters.length, 'dead letter')}; nothing was done`,
          '',
          ...tally.lines(),
        ];
        terminal.print(options.json ? JSON.stringify(done, undefined, 2) : text.join('\n'));
        return EXIT.ok;
      }
      if (letters.length > 0 && !options.yes) await confirm(letters.length, tally, terminal);
      const purged = await purge(redis, letters, options.stream);
      terminal.print(
        options.json
          ? JSON.stringify({ selected: letters.length, purged })
          : `deleted ${plural(purged, 'dead letter')} from ${queueKeys(options.stream).deadLetters}`,
      );
      return EXIT.ok;
    });
  },
});

/** @throws SluiceError `INVALID_OPTIONS` when the number was not typed, or nobody is there to type it */
async function confirm(count: number, tally: LetterTally, terminal: Terminal): Promise<void> {
  if (!terminal.interactive) {
    throw usageError(`this deletes ${plural(count, 'dead letter')} for good: confirm with --yes`);
  }
  terminal.say(`${tally.lines().join('\n')}\n`);
  const typed = await terminal.ask(`type ${count} to delete ${plural(count, 'dead letter')} for good: `);
  if (typed.trim() !== String(count)) throw usageError('not confirmed, nothing was deleted');
}

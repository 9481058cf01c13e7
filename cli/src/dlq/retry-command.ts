import type { Redis } from 'ioredis';
import { type Static, Type } from 'typebox';
import { COMMON_EXIT_CODES, defineCommand, flag, usageError } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { plural } from '../printable.js';
import { queueFlags } from '../queue-flags.js';
import { withRedis } from '../redis.js';
import type { Terminal } from '../terminal.js';
import { editInEditor } from './editor.js';
import { readAssignment } from './exact-json.js';
import { readFailureLimit } from './failure-limit.js';
import { filterFlags } from './filter-flags.js';
import { isRedrivable } from './letter.js';
import { readLetters } from './letters.js';
import { checkedPayload, editableText, payloadText, payloadWith } from './payload.js';
import type { LetterRef, RedriveReport } from './redrive-options.js';
import { progressLine, redriveText } from './redrive-text.js';
import { redrive } from './rollout.js';
import { assertSelected, selectionOf } from './selection.js';
import { LetterTally } from './tally.js';

const options = Type.Object({
  ...queueFlags,
  ...filterFlags,
  all: flag('All dead letters, or all that the filter lets through.'),
  'dry-run': flag('Say what would be redriven, with the new payload of the first one; do nothing.'),
  canary: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    default: 0,
    value: 'n',
    description:
      'Redrive n first, wait until they are settled, and go on only if none of them has died again.',
  }),
  rate: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      maximum: 1_000_000,
      value: 'n',
      description: 'Most letters per second.',
    }),
  ),
  'max-failures': Type.String({
    default: '10%',
    value: 'n|n%',
    description:
      'Stop when more of the redriven tasks than this have died again: a number, or a share of those settled so far (of ten at least). In a canary, one is enough.',
  }),
  window: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 100,
    value: 'n',
    description: 'Most redriven tasks that are not settled at any time: what can fail before it stops.',
  }),
  timeout: Type.Number({
    minimum: 0,
    maximum: 86_400,
    default: 60,
    value: 'seconds',
    description: 'How long to wait when no redriven task is settled.',
  }),
  'no-wait': flag('Redrive and leave, without following what becomes of the tasks: no canary, no stopping.'),
  set: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      value: 'path=value',
      description:
        'Change the JSON payload: data.user.id=7, data.tags=["a"], /data/a.b=text. The value is JSON, or else text.',
    }),
  ),
  edit: flag('Open the JSON payload of the one letter in $EDITOR.'),
  'group-visible': flag(
    'Also show the tasks to all other groups of their streams, as if they were new. Without it other groups never see them.',
  ),
});

type Options = Static<typeof options>;

export const retryCommand = defineCommand({
  usage: ['<id>... [options]', '--all [filter] [options]', '<filter> [options]'],
  about: [
    'Each letter moves in one atomic step: whatever ends this command, and whenever, every task is a dead letter or in its stream, and never both. A redriven task keeps its task_id and has its full number of attempts; a field "redrives" counts how often it was sent back. Its new letter, should it die again, has that too.',
    'It follows what becomes of the tasks and stops by itself when they die again. What was not redriven by then stays a dead letter.',
    'Where several groups read a stream, the others are moved past the redriven task in the same step. That is sound only while they have nothing left to read, so it waits for such a moment, and stops after --timeout without one.',
  ],
  arguments: { name: 'id', most: 1000, description: 'Ids in the dead-letter stream, or task ids.' },
  options,
  examples: [
    ['sluice dlq retry 1795257607784-0', 'one'],
    ['sluice dlq retry --all --dry-run', 'what would be redriven?'],
    [
      'sluice dlq retry --type mail --since 2h --canary 5 --rate 50',
      'after a deployment that should have fixed it',
    ],
    ['sluice dlq retry 1795257607784-0 --set data.to=ada@example.org', 'one, mended'],
    ['sluice dlq retry 1795257607784-0 --edit', 'the same in an editor'],
    ["sluice dlq retry --error '/ETIMEDOUT/' --max-failures 0", 'stop at the first that dies again'],
  ],
  exitCodes: [
    [EXIT.ok, 'all that were selected are redriven, and none has died again'],
    [EXIT.found, 'it stopped, or some have died again, or there was nothing to redrive'],
    ...COMMON_EXIT_CODES,
  ],
  run: (options, ids, terminal) => {
    assertSelected(options, ids);
    const assignments = (options.set ?? []).map(readAssignment);
    const maxFailures = readFailureLimit(options['max-failures']);
    return withRedis(options.redis, async (redis) => {
      const { letters, payloads, tally } = await select(redis, options, ids, assignments, terminal);
      if (letters.length === 0) {
        terminal.say('sluice dlq retry: there is no such dead letter');
        return EXIT.found;
      }
      if (options['dry-run']) return dryRun(options, letters, payloads, tally, terminal);
      if (options.edit && payloads.size === 0) {
        terminal.say(
          'sluice dlq retry: the payload was not changed: nothing is redriven (leave out --edit to retry it as it is)',
        );
        return EXIT.found;
      }
      const report = await redrive(redis, letters, {
        streamName: options.stream,
        canary: options.canary,
        window: options.window,
        ...(options.rate !== undefined && { rate: options.rate }),
        maxFailures,
        follow: !options['no-wait'],
        timeoutMs: options.timeout * 1000,
        othersSee: options['group-visible'] ? 'all' : 'nothing',
        payloads,
        signal: terminal.interrupted,
        onProgress: (progress) => terminal.progress(progressLine(progress)),
      });
      terminal.print(options.json ? JSON.stringify(report, undefined, 2) : redriveText(report));
      return isClean(report) ? EXIT.ok : EXIT.found;
    });
  },
});

function isClean({ stopped, cameBack, redriven }: RedriveReport): boolean {
  return stopped === undefined && cameBack.length === 0 && redriven > 0;
}

interface Selected {
  letters: LetterRef[];
  /** New payloads by letter. */
  payloads: Map<string, Buffer>;
  tally: LetterTally;
}

/** Everything that can be wrong with an edit is found before the first letter moves. */
async function select(
  redis: Redis,
  options: Options,
  ids: readonly string[],
  assignments: readonly ReturnType<typeof readAssignment>[],
  terminal: Terminal,
): Promise<Selected> {
  const selected: Selected = { letters: [], payloads: new Map(), tally: new LetterTally() };
  for await (const letter of readLetters(redis, options.stream, await selectionOf(redis, options, ids))) {
    const { id, group, reason, sourceStream } = letter;
    if (options.edit && selected.letters.length === 1) {
      throw usageError('--edit works on one letter; --set on many');
    }
    selected.letters.push({ id, group, reason, sourceStream });
    selected.tally.add(letter);
    if (!isRedrivable(letter, options.stream)) continue;
    if (assignments.length > 0) selected.payloads.set(id, payloadWith(letter, assignments));
    if (options.edit && !options['dry-run']) {
      const before = selected.payloads.get(id)?.toString() ?? editableText(letter);
      const after = await editInEditor(terminal.editor, before);
      if (after !== before) selected.payloads.set(id, checkedPayload(id, after.trim()));
    }
  }
  return selected;
}

function dryRun(
  options: Options,
  letters: readonly LetterRef[],
  payloads: ReadonlyMap<string, Buffer>,
  tally: LetterTally,
  terminal: Terminal,
): number {
  const ours = letters.filter((letter) => isRedrivable(letter, options.stream));
  if (options.json) {
    const ids = ours.map(({ id }) => id);
    terminal.print(
      JSON.stringify({ dryRun: true, selected: ids.length, ids, counts: tally.rows() }, undefined, 2),
    );
    return EXIT.ok;
  }
  const lines = [
    `would redrive ${plural(ours.length, 'dead letter')}; nothing was done`,
    '',
    ...tally.lines(),
  ];
  if (ours.length < letters.length) {
    lines.push('', `not ours, and left alone: ${letters.length - ours.length}`);
  }
  const [first] = payloads;
  if (first !== undefined) {
    const [id, payload] = first;
    lines.push('', `${id} with ${payloadText({ contentType: 'application/json', payload })}`);
  }
  terminal.print(lines.join('\n'));
  return EXIT.ok;
}

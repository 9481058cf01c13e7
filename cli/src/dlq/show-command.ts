import { Type } from 'typebox';
import { COMMON_EXIT_CODES, defineCommand, usageError } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { oneLine, printable } from '../printable.js';
import { queueFlags } from '../queue-flags.js';
import { withRedis } from '../redis.js';
import { type DeadLetter, errorOf } from './letter.js';
import { readLetters } from './letters.js';
import { payloadText } from './payload.js';

export const showCommand = defineCommand({
  usage: ['<id> [options]'],
  about: [
    'A JSON payload is shown indented, with its numbers as they are; anything else as size and bytes. A task id that died more than once shows all its letters.',
  ],
  arguments: {
    name: 'id',
    most: 1,
    description: 'Id in the dead-letter stream (sluice dlq list), or a task id.',
  },
  options: Type.Object(queueFlags),
  examples: [
    ['sluice dlq show 1795257607784-0', 'one letter'],
    ['sluice dlq show 69ce820b-e1fe-44f0-b50f-2235ecca98e7', 'by task id'],
    ['sluice dlq show 1795257607784-0 --json | jq -r .payload', 'the payload as it is'],
  ],
  exitCodes: [[EXIT.ok, 'shown'], [EXIT.found, 'there is no such dead letter'], ...COMMON_EXIT_CODES],
  run: (options, [id], terminal) => {
    if (id === undefined) throw usageError('which one? give the id of a dead letter, or of a task');
    return withRedis(options.redis, async (redis) => {
      let found = 0;
      for await (const letter of readLetters(redis, options.stream, { ids: [id] })) {
        if (found > 0 && !options.json) terminal.print('');
        terminal.print(options.json ? JSON.stringify(letterJson(letter), undefined, 2) : letterText(letter));
        found += 1;
      }
      if (found > 0) return EXIT.ok;
      terminal.say(`sluice dlq show: ${id} is not in the dead-letter stream`);
      return EXIT.found;
    });
  },
});

function letterText(letter: DeadLetter): string {
  const { id, taskId, type, timestamp, reason, attempts, crashes, redrives } = letter;
  const rows: [string, string][] = [
    ['task', taskId || '(no id)'],
    ['type', type],
    ['accepted', timestamp],
    ['died', new Date(letter.diedAt).toISOString()],
    ['reason', `${reason || '(not written by Sluice)'}: failed ${attempts}, crashed ${crashes}`],
    ['first failed', letter.firstFailedAt],
    ['last failed', letter.lastFailedAt],
    ['redriven', redrives === 0 ? '' : `${redrives === 1 ? 'once' : `${redrives} times`} before`],
    ['from', `${letter.sourceStream} ${letter.sourceId}`.trim()],
    ['group', letter.group],
    ['consumer', letter.consumer],
    ['trace', letter.traceContext],
    ['error', errorOf(letter)],
  ];
  return [
    `dead letter ${id}`,
    ...rows.filter(([, text]) => text !== '').map(([name, text]) => `  ${name.padEnd(12)}  ${oneLine(text)}`),
    ...stackLines(letter),
    '',
    payloadText(letter),
  ].join('\n');
}

/** Without its first line where that only says the error again. */
function stackLines(letter: DeadLetter): string[] {
  const { errorStack } = letter;
  const error = errorOf(letter);
  const stack = errorStack.startsWith(error) ? errorStack.slice(error.length).replace(/^\n/, '') : errorStack;
  return stack === '' ? [] : ['', indented(printable(stack))];
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ');
}

function letterJson({ payload, diedAt, ...letter }: DeadLetter) {
  const isText = letter.contentType === 'application/json';
  return {
    ...letter,
    diedAt: new Date(diedAt).toISOString(),
    ...(payload !== undefined && isText && { payload: payload.toString() }),
    ...(payload !== undefined && !isText && { payloadBase64: payload.toString('base64') }),
  };
}

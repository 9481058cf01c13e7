import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Type } from 'typebox';
import { defineCommand, flag } from './command.js';
import { readCommandLine } from './command-line.js';
import { helpOf } from './help.js';

const command = defineCommand({
  usage: ['<id> [options]'],
  about: ['Drains it.'],
  arguments: { name: 'id', most: 1, description: 'Which pond.' },
  options: Type.Object({
    redis: Type.String({ env: 'REDIS_URL', default: 'redis://x', value: 'url', description: 'Where.' }),
    limit: Type.Integer({ minimum: 1, default: 3, value: 'n', description: 'Most.' }),
    type: Type.Optional(Type.Array(Type.String(), { value: 'type', description: 'Kinds.' })),
    json: flag('JSON.'),
  }),
  examples: [['sluice pond drain 1', 'one']],
  exitCodes: [[0, 'dry']],
  run: async () => 0,
});

const read = (line: string, environment = {}) =>
  readCommandLine(command, line.split(' ').filter(Boolean), environment);

describe('readCommandLine', () => {
  it('takes flags, lists and arguments apart, in any order', () => {
    const { given, args, help } = read('--limit 5 7 --type a --json --type=b');
    assert.deepEqual(given, { limit: 5, type: ['a', 'b'], json: true });
    assert.deepEqual(args, ['7']);
    assert.equal(help, false);
  });

  it('takes from the environment what is not given, and remembers that', () => {
    const { given, fromEnvironment } = read('', { REDIS_URL: 'redis://y' });
    assert.deepEqual(given, { redis: 'redis://y' });
    assert.equal(fromEnvironment.get('redis'), 'REDIS_URL');
    assert.deepEqual(read('--redis redis://z', { REDIS_URL: 'redis://y' }).given, { redis: 'redis://z' });
    assert.deepEqual(read('', { REDIS_URL: '' }).given, {});
  });

  it('leaves what is no number for the check of the options to show', () => {
    assert.deepEqual(read('--limit many').given, { limit: 'many' });
  });

  it('refuses in one line what it does not know, with what is allowed', () => {
    for (const [line, complaint] of [
      ['--lmit 3', /^--lmit is no option; allowed: --redis, --limit, --type, --json, --help$/],
      ['-x', /^-x is no option/],
      ['--limit', /^--limit needs a value: --limit <n>$/],
      ['--limit --json', /^--limit needs a value; one that starts with a dash: --limit=--json$/],
      ['--json=1', /^--json takes no value$/],
      ['--limit 1 --limit 2', /^--limit is given twice$/],
      ['1 2', /^one id at a time; given: 1 2$/],
    ] as const) {
      assert.throws(() => read(line), { code: 'INVALID_OPTIONS', message: complaint }, line);
    }
  });

  it('asks for help with --help and -h, whatever else is there', () => {
    assert.equal(read('--help').help, true);
    assert.equal(read('1 2 -h').help, true);
  });
});

describe('helpOf', () => {
  it('names every flag with its default and variable, the examples and the exit codes', () => {
    const help = helpOf(['pond', 'drain'], command);
    for (const part of [
      'sluice pond drain <id> [options]',
      '--redis <url>  Where. (default redis://x, $REDIS_URL)',
      '--limit <n>    Most. (default 3)',
      'Kinds. (may be given several times)',
      '<id>           Which pond.',
      'sluice pond drain 1  one',
      '0  dry',
    ]) {
      assert.ok(help.includes(part), `${part}\n${help}`);
    }
    for (const line of help.split('\n')) assert.ok(line.length <= 100, line);
  });
});

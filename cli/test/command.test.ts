import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setUp } from './fixture.js';

const COMMANDS = [
  ['audit'],
  ['dlq', 'list'],
  ['dlq', 'show'],
  ['dlq', 'retry'],
  ['dlq', 'purge'],
  ['doctor'],
];

test('every command explains itself, with examples and exit codes', async (t) => {
  const queue = await setUp(t);
  for (const words of COMMANDS) {
    const { code, stdout } = await queue.program([...words, '--help']);
    assert.equal(code, 0);
    for (const part of [
      `sluice ${words.join(' ')} `,
      'Options\n',
      'Examples\n',
      'Exit codes\n',
      '--redis <url>',
      '--json',
    ]) {
      assert.ok(stdout.includes(part), `${part} in\n${stdout}`);
    }
  }
  assert.match((await queue.program(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  const overview = await queue.program(['--help']);
  assert.equal(overview.code, 0);
  for (const words of COMMANDS) assert.ok(overview.stdout.includes(`  ${words.join(' ')} `), words.join(' '));
});

test('what does not exist is refused in one line that says what is allowed', async (t) => {
  const queue = await setUp(t);
  for (const [args, complaint] of [
    [['adit'], /^sluice: "adit" is no command; allowed: audit, dlq list, .*\n$/],
    [
      ['dlq', 'lst'],
      /^sluice: "dlq lst" is no command; allowed: dlq list, dlq show, dlq retry, dlq purge\n$/,
    ],
    [['audit', '--grup', 'x'], /^sluice audit: --grup is no option; allowed: .*--group.*\n$/],
    [['audit', 'now'], /^sluice audit: no argument is taken; given: now\n$/],
    [
      ['dlq', 'list', '--limit', 'all'],
      /^sluice dlq list: --limit is "all"; allowed: a whole number from 0 to 1000000\n$/,
    ],
    [['dlq', 'list', '--since', 'monday'], /^sluice dlq list: --since is "monday"; allowed: .*\n$/],
    [
      ['dlq', 'retry', '--all', '--max-failures', 'some'],
      /^sluice dlq retry: --max-failures is "some"; allowed: .*\n$/,
    ],
    [['doctor', '--redis', 'localhost'], /^sluice doctor: --redis is "localhost"; allowed: redis:\/\/.*\n$/],
  ] as const) {
    const { code, stderr, stdout } = await queue.program(args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, complaint);
    assert.equal(stdout, '');
  }
  const wrongVariable = await queue.program(['audit'], { REDIS_URL: 'nowhere' });
  assert.match(wrongVariable.stderr, /^sluice audit: REDIS_URL is "nowhere"; allowed: /);
  assert.equal((await queue.program([])).code, 2);
  assert.equal((await queue.program(['dlq'])).code, 2);
});

test('a Redis that cannot be reached is one line without the password, and exit code 3', async (t) => {
  const queue = await setUp(t);
  const { code, stderr } = await queue.program(['audit', '--redis', 'redis://me:secret@127.0.0.1:1']);
  assert.equal(code, 3);
  assert.match(stderr, /^sluice audit: Redis at redis:\/\/\*\*\*@127\.0\.0\.1:1: connect ECONNREFUSED .*\n$/);
  await queue.redis.config('SET', 'requirepass', 'secret');
  const refused = await queue.program(['doctor']);
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /NOAUTH/);
});

test('without --redis and REDIS_URL it asks the launcher of make up where its Redis is', async (t) => {
  const queue = await setUp(t);
  await queue.append({});
  const launcher = createServer((client) => {
    client.end(`${JSON.stringify({ phase: 'running', run: { redisUrl: queue.server.url } })}\n`);
  });
  await new Promise<void>((resolve) => launcher.listen(join(queue.folder, 'control.sock'), resolve));
  t.after(() => launcher.close());
  const { code, stdout } = await queue.program(['audit'], { REDIS_URL: '', SLUICE_DATA_DIR: queue.folder });
  assert.equal(code, 0);
  assert.match(stdout, /^accepted 1 = /m);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort, startProcess, waitFor } from '@sluice/testbed';
import { setUp } from './fixture.js';

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname;
const HANDLER_MODULE = new URL('./handlers/record.js', import.meta.url).pathname;

test('the program works tasks off with options from the environment, and ends on SIGTERM', async (t) => {
  const queue = await setUp(t);
  const program = startProcess(MAIN, { HANDLER_MODULE, REDIS_URL: queue.server.url, CONSUMER_THREADS: '1' });
  t.after(() => program.signal('SIGKILL'));
  await program.ready;
  await queue.appendScripts(5);
  await queue.until('end', 5);
  program.signal('SIGTERM');
  assert.deepEqual(await program.exited, { code: 0, signal: null });
  assert.deepEqual(await queue.consumers(), {});
  const lines = program
    .output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { message: string });
  assert.deepEqual(
    lines.map((line) => line.message).filter((message) => message !== 'consumer group created'),
    ['consumer started', 'shutting down', 'shut down'],
  );
});

test('the program that waits for a Redis that never comes ends on SIGTERM all the same', async (t) => {
  const port = await freePort();
  const program = startProcess(MAIN, { HANDLER_MODULE, REDIS_URL: `redis://127.0.0.1:${port}` });
  t.after(() => program.signal('SIGKILL'));
  await waitFor(() => program.output().includes('Redis lost'), { timeoutMs: 20_000, what: 'the first try' });
  program.signal('SIGTERM');
  assert.deepEqual(await program.exited, { code: 0, signal: null });
});

test('the program enqueues the runs of the schedules that SCHEDULE_MODULE names', async (t) => {
  const queue = await setUp(t);
  const data = { journal: queue.journal };
  const list = JSON.stringify([{ name: 'tick', cron: '* * * * * *', data }]);
  const SCHEDULE_MODULE = `data:text/javascript,export default ${encodeURIComponent(list)}`;
  const environment = { HANDLER_MODULE, SCHEDULE_MODULE, REDIS_URL: queue.server.url };
  const program = startProcess(MAIN, environment);
  t.after(() => program.signal('SIGKILL'));
  await queue.until('end', 2);
});

const wrong: [what: string, env: Record<string, string>, says: RegExp][] = [
  [
    'a wrong variable',
    { HANDLER_MODULE, TASK_TIMEOUT: 'soon' },
    /^TASK_TIMEOUT is "soon"; allowed: a number above 0/,
  ],
  ['no handlers', { HANDLER_MODULE: '' }, /^HANDLER_MODULE is not set; allowed: /],
  [
    'a module that is not there',
    { HANDLER_MODULE: '/nowhere.js' },
    /^HANDLER_MODULE \/nowhere\.js does not load/,
  ],
  [
    'a module of another kind',
    { HANDLER_MODULE: MAIN.replace('main.js', 'settling/backoff.js') },
    /has no default export like/,
  ],
  [
    'schedules that are not there',
    { HANDLER_MODULE, SCHEDULE_MODULE: '/nowhere.js' },
    /^SCHEDULE_MODULE \/nowhere\.js does not load/,
  ],
  [
    'a module without schedules',
    { HANDLER_MODULE, SCHEDULE_MODULE: HANDLER_MODULE },
    /^SCHEDULE_MODULE .* has no default export like \[\{ name/,
  ],
  [
    'a wrong schedule',
    { HANDLER_MODULE, SCHEDULE_MODULE: 'data:text/javascript,export default [{name:"a",cron:"b"}]' },
    /^schedules\.0\.cron is "b", which is no cron pattern/,
  ],
];
for (const [what, env, says] of wrong) {
  test(`${what} ends the program with one line that says so`, async () => {
    const program = startProcess(MAIN, env);
    const { code } = await program.exited;
    assert.equal(code, 1);
    assert.match(program.output(), says);
    assert.equal(program.output().trim().split('\n').length, 1);
  });
}

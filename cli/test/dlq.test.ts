import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { audit } from '@sluice/cli';
import { waitFor } from '@sluice/testbed';
import { type Fixture, SLUICE, setUp } from './fixture.js';

/** A queue with dead letters; the file that makes their tasks work does not exist yet. */
async function withDead(
  t: TestContext,
  count: number,
  type = 'default',
): Promise<{ queue: Fixture; fix: string }> {
  const queue = await setUp(t);
  const fix = join(queue.folder, 'fixed');
  await queue.consume();
  await queue.appendMany(count, { do: 'give-up', worksWith: fix }, type);
  await queue.counted('dead', count, queue.keys.stream(type));
  return { queue, fix };
}

async function assertBalanced(queue: Fixture): Promise<void> {
  const report = await audit({ redis: queue.redis });
  assert.deepEqual(report.findings, []);
  assert.equal(report.total.lost, 0);
}

// Each has a Redis and consumers of its own, and waits for them for most of its time.
describe('sluice dlq', { concurrency: 3 }, () => {
  test('list counts by type and reason, filters, and shows the newest', async (t) => {
    const { queue } = await withDead(t, 5);
    await queue.appendMany(3, { do: 'throw' }, 'mail');
    await queue.counted('dead', 3, 'tasks:stream:mail');
    const all = await queue.program(['dlq', 'list', '--limit', '2']);
    assert.equal(all.code, 0, all.stderr);
    assert.match(all.stdout, /^8 dead letters in tasks:dlq\n/);
    assert.match(all.stdout, /^ +5 +default +unrecoverable /m);
    assert.match(all.stdout, /^ +3 +mail +attempts-exhausted /m);
    assert.match(all.stdout, /and 6 older/);
    const listed = async (...filter: string[]) =>
      JSON.parse((await queue.sluice(['dlq', 'list', '--json', ...filter])).stdout);
    const none = async (...flags: string[]) => (await queue.sluice(['dlq', 'list', ...flags])).stdout;
    assert.match(await none('--type', 'nobody'), /^no dead letters in \S+ that fit$/m);
    assert.match(await none('--stream', 'another:stream'), /^no dead letters in \S+$/m);
    assert.equal((await listed('--type', 'mail')).total, 3);
    assert.equal((await listed('--type', 'mail', '--type', 'default')).total, 8);
    assert.equal((await listed('--reason', 'unrecoverable')).total, 5);
    assert.equal((await listed('--error', 'DOES NOT work')).total, 3);
    assert.equal((await listed('--error', '/^TypeError: it/')).total, 3);
    assert.equal((await listed('--since', '1h')).total, 8);
    assert.equal((await listed('--until', '1h')).total, 0);
    assert.equal((await listed('--group', 'others')).total, 0);
    const { letters } = await listed('--type', 'mail', '--limit', '1');
    assert.equal(letters[0].attempts, 3);
    assert.equal(letters[0].errorName, 'TypeError');
  });

  test('show has everything, with the numbers of the payload as they are', async (t) => {
    const queue = await setUp(t);
    await queue.consume();
    const payload = '{"data":{"do":"give-up","big":9007199254740993,"one":1.0},"metadata":{"from":"here"}}';
    await queue.append(undefined, 'default', { task_id: 'the-task', payload });
    await queue.append(undefined, 'default', {
      task_id: 'packed',
      content_type: 'application/msgpack',
      payload: '\u0001\u0002',
    });
    await queue.counted('dead', 2);
    const letter = (await queue.deadLetters()).find(({ task_id }) => task_id === 'the-task');
    const { code, stdout } = await queue.program(['dlq', 'show', letter?.id ?? '']);
    assert.equal(code, 0);
    for (const part of [
      '"big": 9007199254740993',
      '"one": 1.0',
      'never going to work',
      'the-task',
      'processors',
    ]) {
      assert.ok(stdout.includes(part), `${part} in\n${stdout}`);
    }
    const packed = await queue.sluice(['dlq', 'show', 'packed']);
    assert.match(packed.stdout, /payload {2}application\/msgpack, 2 bytes\n +000000 {2}01 02/);
    const json = JSON.parse((await queue.sluice(['dlq', 'show', 'the-task', '--json'])).stdout);
    assert.equal(json.payload, payload);
    assert.equal((await queue.sluice(['dlq', 'show', '1-1'])).code, 1);
  });

  test('retry sends one back with its fields and its history, and says what became of it', async (t) => {
    const { queue, fix } = await withDead(t, 2);
    const [letter, other] = await queue.deadLetters();
    const failed = await queue.program(['dlq', 'retry', letter?.id ?? '']);
    assert.equal(failed.code, 1, failed.stderr);
    assert.match(failed.stdout, /^redriven 1 of 1 dead letter: done 0, died again 1, not settled yet 0/);
    const again = (await queue.deadLetters()).find(({ task_id }) => task_id === letter?.task_id);
    assert.equal(again?.redrives, '1');
    assert.equal(again?.payload, letter?.payload);
    assert.equal(again?.timestamp, letter?.timestamp);
    await writeFile(fix, '');
    const worked = await queue.program(['dlq', 'retry', letter?.task_id ?? '']);
    assert.equal(worked.code, 0, worked.stderr);
    assert.match(worked.stdout, /^redriven 1 of 1 dead letter: done 1, died again 0, not settled yet 0/);
    assert.deepEqual(
      (await queue.deadLetters()).map(({ id }) => id),
      [other?.id],
    );
    const { total } = await audit({ redis: queue.redis });
    assert.deepEqual([total.accepted, total.done, total.dead], [2, 1, 1]);
    await assertBalanced(queue);
  });

  test('a dry run does nothing, and nothing is selected by leaving everything out', async (t) => {
    const { queue } = await withDead(t, 3);
    const dry = await queue.sluice(['dlq', 'retry', '--all', '--dry-run', '--set', 'data.do=return']);
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /^would redrive 3 dead letters; nothing was done/);
    assert.match(dry.stdout, /"do": "return"/);
    assert.match(
      (await queue.sluice(['dlq', 'purge', '--all', '--dry-run'])).stdout,
      /^would delete 3 dead letters/,
    );
    for (const command of ['retry', 'purge']) {
      const none = await queue.sluice(['dlq', command]);
      assert.equal(none.code, 2);
      assert.match(none.stderr, /^sluice dlq \w+: which ones\? give ids, --all, or a filter/);
    }
    assert.equal((await queue.deadLetters()).length, 3);
  });

  test('a canary that dies again stops the rest', async (t) => {
    const { queue, fix } = await withDead(t, 20);
    const stopped = await queue.sluice(['dlq', 'retry', '--all', '--canary', '3', '--json']);
    assert.equal(stopped.code, 1);
    const report = JSON.parse(stopped.stdout);
    assert.equal(report.stopped, 'tasks of the canary died again');
    assert.ok(report.redriven >= 1 && report.redriven <= 3, `${report.redriven} redriven`);
    assert.equal(report.cameBack.length, report.redriven);
    const again = (await queue.deadLetters()).filter(({ redrives }) => redrives === '1');
    assert.equal(again.length, report.redriven);
    await writeFile(fix, '');
    const rest = await queue.sluice(['dlq', 'retry', '--all', '--canary', '3']);
    assert.equal(rest.code, 0, rest.stdout + rest.stderr);
    assert.match(rest.stdout, /^redriven 20 of 20 dead letters: done 20, died again 0/);
    await assertBalanced(queue);
  });

  test('failures that come back stop the redrive, at most a window later', async (t) => {
    const queue = await setUp(t);
    const fix = join(queue.folder, 'fixed');
    await queue.consume();
    // The first ten work now, the others never will.
    await queue.appendMany(10, { do: 'give-up', worksWith: fix });
    await queue.counted('dead', 10);
    await queue.appendMany(90, { do: 'give-up' });
    await queue.counted('dead', 100);
    await writeFile(fix, '');
    const { code, stdout } = await queue.sluice([
      'dlq',
      'retry',
      '--all',
      '--canary',
      '5',
      '--window',
      '10',
      '--json',
    ]);
    assert.equal(code, 1);
    const report = JSON.parse(stdout);
    assert.match(report.stopped, /^\d+ of \d+ settled tasks died again$/);
    assert.ok(report.redriven <= 30, `${report.redriven} redriven`);
    assert.equal(report.done, 10);
    assert.equal(report.unsettled, 0);
    await assertBalanced(queue);
  });

  test('a canary that nobody works off stops the rest', async (t) => {
    const queue = await setUp(t);
    const consumer = await queue.consume();
    await queue.appendMany(3, { do: 'give-up' });
    await queue.counted('dead', 3);
    await consumer.stop();
    const { code, stdout } = await queue.sluice([
      'dlq',
      'retry',
      '--all',
      '--canary',
      '1',
      '--timeout',
      '0.5',
      '--json',
    ]);
    assert.equal(code, 1);
    assert.deepEqual(JSON.parse(stdout), {
      selected: 3,
      redriven: 1,
      done: 0,
      cameBack: [],
      unsettled: 1,
      gone: 0,
      stopped: 'the canary was not settled within 0.5 s',
      notOurs: 0,
    });
    assert.equal((await audit({ redis: queue.redis })).total.pending, 1);
  });

  test('--rate spreads the letters over time', async (t) => {
    const { queue, fix } = await withDead(t, 11);
    await writeFile(fix, '');
    const begun = performance.now();
    assert.equal((await queue.sluice(['dlq', 'retry', '--all', '--rate', '20'])).code, 0);
    assert.ok(performance.now() - begun >= 500, 'ten pauses of 50 ms');
  });

  test('--set and --edit mend the payload, and what is no payload is refused before anything moves', async (t) => {
    const { queue } = await withDead(t, 3);
    const [first, second, third] = await queue.deadLetters();
    const set = await queue.sluice(['dlq', 'retry', first?.id ?? '', '--set', 'data.do=return']);
    assert.equal(set.code, 0, set.stderr);
    const editor = join(queue.folder, 'editor.sh');
    await writeFile(editor, '#!/bin/sh\nsed -i s/give-up/return/ "$2"\n');
    await chmod(editor, 0o755);
    const edit = await queue.program(['dlq', 'retry', second?.id ?? '', '--edit'], {
      VISUAL: '',
      EDITOR: `${editor} --wait`,
    });
    assert.equal(edit.code, 0, edit.stderr);

    const unchanged = await queue.sluice(['dlq', 'retry', third?.id ?? '', '--edit'], {
      VISUAL: '',
      EDITOR: 'true',
    });
    assert.equal(unchanged.code, 1);
    assert.match(unchanged.stderr, /was not changed: nothing is redriven/);
    await writeFile(editor, '#!/bin/sh\necho "{" > "$2"\n');
    for (const [args, complaint] of [
      [['--edit'], /the edited payload is not valid JSON/],
      [['--set', 'data.x.y=1'], /there is no place "x" to put it; there is: do, worksWith/],
      [['--set', 'foo=1'], /the path must start with one of them/],
      [['--set', 'data'], /needed: path=value/],
      [['--set', 'data.__proto__=1'], /is not allowed as a key/],
      [['--set', 'metadata=1'], /there is no place|metadata of the edited payload is no object/],
    ] as const) {
      const refused = await queue.sluice(['dlq', 'retry', third?.id ?? '', ...args], {
        VISUAL: '',
        EDITOR: `${editor} x`,
      });
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, complaint);
    }
    assert.deepEqual(
      (await queue.deadLetters()).map(({ id }) => id),
      [third?.id],
    );
    await assertBalanced(queue);
  });

  test('purge asks, deletes, and counts as dropped', async (t) => {
    const { queue } = await withDead(t, 5);
    const unasked = await queue.program(['dlq', 'purge', '--all']);
    assert.equal(unasked.code, 2);
    assert.match(unasked.stderr, /this deletes 5 dead letters for good: confirm with --yes/);
    assert.equal((await queue.deadLetters()).length, 5);
    const [first] = await queue.deadLetters();
    assert.equal((await queue.program(['dlq', 'purge', first?.id ?? '', '--yes'])).code, 0);
    const rest = await queue.sluice(['dlq', 'purge', '--all', '--yes']);
    assert.match(rest.stdout, /^deleted 4 dead letters from tasks:dlq/);
    const { total } = await audit({ redis: queue.redis });
    assert.deepEqual([total.accepted, total.dead, total.dropped, total.lost], [5, 0, 5, 0]);
    await assertBalanced(queue);
  });

  test('a redriven task is not shown to another group of the stream, which still adds up', async (t) => {
    const queue = await setUp(t);
    await queue.redis.xgroup('CREATE', 'tasks:stream', 'archive', '0', 'MKSTREAM');
    await queue.consume();
    await queue.appendMany(3, { do: 'give-up' });
    await queue.counted('dead', 3);
    const behind = await queue.sluice(['dlq', 'retry', '--all', '--timeout', '0.3', '--json']);
    assert.equal(behind.code, 1);
    assert.match(
      JSON.parse(behind.stdout).stopped,
      /^group archive did not catch up with tasks:stream within 0.3 s/,
    );
    assert.equal((await queue.deadLetters()).length, 3);

    const read = () =>
      queue.redis.xreadgroup('GROUP', 'archive', 'me', 'COUNT', 10, 'STREAMS', 'tasks:stream', '>');
    assert.equal(((await read()) as [string, unknown[]][])[0]?.[1].length, 3);
    const sent = await queue.sluice(['dlq', 'retry', '--all', '--set', 'data.do=return']);
    assert.equal(sent.code, 0, sent.stdout + sent.stderr);
    assert.equal(await read(), null, 'archive has seen nothing of it');
    await assertBalanced(queue);
    const archive = await audit({ redis: queue.redis, group: 'archive' });
    assert.deepEqual(archive.findings, []);
    assert.deepEqual([archive.total.accepted, archive.total.pending], [3, 3]);
  });

  test('with --group-visible the other groups see it as a new task', async (t) => {
    const queue = await setUp(t);
    await queue.redis.xgroup('CREATE', 'tasks:stream', 'archive', '0', 'MKSTREAM');
    await queue.consume();
    await queue.appendMany(1, { do: 'give-up' });
    await queue.counted('dead', 1);
    const sent = await queue.sluice(['dlq', 'retry', '--all', '--group-visible', '--set', 'data.do=return']);
    assert.equal(sent.code, 0, sent.stderr);
    await assertBalanced(queue);
    const archive = await audit({ redis: queue.redis, group: 'archive' });
    assert.deepEqual(archive.findings, []);
    assert.equal(archive.total.accepted, 2);
  });

  test('when Redis takes no more, a redrive fails and the letter stays', async (t) => {
    const { queue } = await withDead(t, 1);
    await queue.redis.config('SET', 'maxmemory', '1');
    const { code, stderr } = await queue.sluice(['dlq', 'retry', '--all']);
    assert.equal(code, 3);
    assert.match(stderr, /refused: OOM/);
    assert.equal((await queue.deadLetters()).length, 1);
    assert.equal(await queue.redis.xlen('tasks:stream'), 0);
  });

  test('what consumers did not write is listed and purged, and never redriven', async (t) => {
    const { queue } = await withDead(t, 1);
    await queue.redis.xadd('tasks:dlq', '*', 'hello', '\u001b[31mworld');
    const list = await queue.sluice(['dlq', 'list']);
    assert.match(list.stdout, /\(not ours\)/);
    const { stdout } = await queue.sluice(['dlq', 'retry', '--all', '--json', '--set', 'data.do=return']);
    assert.deepEqual([JSON.parse(stdout).redriven, JSON.parse(stdout).notOurs], [1, 1]);
    assert.equal((await queue.sluice(['dlq', 'purge', '--all', '--yes'])).code, 0);
    await assertBalanced(queue);
  });
});

// Alone: it is to be killed before it is through.
test('a redrive that is killed leaves every task in exactly one place, and the next one finishes it', async (t) => {
  const queue = await setUp(t);
  const consumer = await queue.consume();
  await queue.appendMany(2000, { do: 'give-up' });
  await queue.counted('dead', 2000);
  await consumer.stop();
  const letters = (await queue.deadLetters()).map(({ task_id }) => task_id);

  const child = spawn(process.execPath, [SLUICE, 'dlq', 'retry', '--all', '--no-wait'], {
    env: { ...process.env, REDIS_URL: queue.server.url },
    stdio: 'ignore',
  });
  const exited = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  await waitFor(async () => (await queue.redis.xlen('tasks:stream')) > 100, {
    timeoutMs: 60_000,
    what: 'the redrive',
  });
  child.kill('SIGKILL');
  assert.equal(await exited, 'SIGKILL', 'it was faster than the kill');

  const dead = (await queue.deadLetters()).map(({ task_id }) => task_id);
  const queued = (await queue.redis.xrange('tasks:stream', '-', '+')).map(([, fields]) => fields[1]);
  assert.ok(dead.length > 0 && queued.length > 100, `${dead.length} dead, ${queued.length} queued`);
  assert.deepEqual([...dead, ...queued].sort(), letters.sort());
  const { total, findings } = await audit({ redis: queue.redis });
  assert.deepEqual(findings, []);
  assert.deepEqual(
    [total.accepted, total.pending, total.dead, total.lost],
    [2000, queued.length, dead.length, 0],
  );

  assert.equal((await queue.sluice(['dlq', 'retry', '--all', '--no-wait'])).code, 0);
  assert.equal((await audit({ redis: queue.redis })).total.pending, 2000);
});

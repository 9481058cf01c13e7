import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type RedisServer, startProcess, startRedis } from '@sluice/testbed';
import { type Course, startStandIn } from './stand-in.js';

const REPLAY = fileURLToPath(new URL('../../dist/replay/main.js', import.meta.url));
const ACTIVITY = fileURLToPath(new URL('../../dist/activity/main.js', import.meta.url));

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

async function run(
  script: string,
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const command = startProcess(script, env, args);
  const { code } = await command.exited;
  return { code, output: command.output() };
}

/** The replay command against a stand-in that takes the given courses, then `done`. */
async function replayCommand(t: TestContext, courses: Course[], args: string[]) {
  const digestDir = mkdtempSync(join(tmpdir(), 'sluice-command-'));
  const standIn = await startStandIn(redis.url, 'tasks:stream', digestDir, courses);
  t.after(async () => {
    await standIn.close();
    rmSync(digestDir, { recursive: true, force: true });
  });
  const env = { REDIS_URL: redis.url, DIGEST_DIR: digestDir };
  const replayed = await run(REPLAY, ['--url', standIn.url, '--grace-seconds', '0.2', ...args], env);
  return { ...replayed, env };
}

test('prints the table and exits 0 when all is done; activity then counts each task once', async (t) => {
  const { code, output, env } = await replayCommand(t, ['done twice'], ['--times', '2']);
  assert.equal(code, 0, output);
  assert.match(output, /12 bodies x 2 over 64 connections/);
  assert.match(output, /done +24\n/);
  assert.match(output, /duplicates +1\n/);
  const activity = await run(ACTIVITY, [], env);
  assert.match(activity.output, /\(no repository\) +24 events/);
  assert.match(activity.output, /1 lines came from tasks that ran more than once/);
});

test('exits 1 when a task is lost or dead, and names the lost', async (t) => {
  const lost = await replayCommand(t, ['lost'], []);
  assert.equal(lost.code, 1, lost.output);
  assert.match(lost.output, /lost: [0-9a-f-]{36}/);
  const dead = await replayCommand(t, ['dead'], []);
  assert.equal(dead.code, 1, dead.output);
});

test('exits 0 with a dead task where that is allowed', async (t) => {
  const { code, output } = await replayCommand(t, ['dead'], ['--allow-dead', '--json']);
  assert.equal(code, 0, output);
  assert.equal(JSON.parse(output).dead, 1);
});

test('says in one line what is wrong, and exits 2', async () => {
  const env = { REDIS_URL: redis.url };
  for (const [args, line] of [
    [['--times', '0'], /^replay: times is 0; allowed: a whole number from 1\n$/],
    [['--url', 'http://127.0.0.1:1'], /^replay: nothing answers at http:\/\/127.0.0.1:1: .*make up.*\n$/],
    [['--nonsense'], /^replay: .*nonsense.*\n$/],
  ] as const) {
    const { code, output } = await run(REPLAY, [...args], env);
    assert.equal(code, 2, output);
    assert.match(output, line);
  }
});

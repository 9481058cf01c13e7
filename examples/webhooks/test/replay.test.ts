import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { isClean, type ReplayOptions, type ReplayReport, replay } from '@sluice/example-webhooks';
import { type RedisServer, startRedis } from '@sluice/testbed';
import { type Course, type StandIn, startStandIn } from './stand-in.js';

// The replay is what the crash tests believe: here its judgement is tried on tasks whose fate is known.

const SAMPLES = new URL('../../sample-bodies/', import.meta.url);
const strict = { dead: false, refused: false };

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

/** Replays the 12 samples once; the first requests take the given courses, all others are done. */
async function replayThrough(
  t: TestContext,
  courses: Course[],
  given: Partial<ReplayOptions> = {},
): Promise<{ report: ReplayReport; requests: StandIn['requests'] }> {
  const digestDir = mkdtempSync(join(tmpdir(), 'sluice-replay-'));
  const streamName = `${randomUUID()}:stream`;
  const standIn = await startStandIn(redis.url, streamName, digestDir, courses);
  t.after(async () => {
    await standIn.close();
    rmSync(digestDir, { recursive: true, force: true });
  });
  const report = await replay({
    url: standIn.url,
    redisUrl: redis.url,
    streamName,
    digestDir,
    connections: 4,
    graceSeconds: 0.2,
    stallSeconds: 0.5,
    ...given,
  });
  assertAddsUp(report);
  return { report, requests: standIn.requests };
}

function assertAddsUp(report: ReplayReport): void {
  const refused = Object.values(report.refused).reduce((sum, count) => sum + count, 0);
  assert.equal(report.sent, report.accepted + refused + report.unconfirmed);
  assert.equal(report.accepted, report.done + report.dead + report.lost + report.pending);
}

test('sends every file byte for byte, typed where there is a schema, and finds each done', async (t) => {
  const { report, requests } = await replayThrough(t, [], { times: 3 });
  assert.equal(report.bodies, 12);
  assert.deepEqual([report.sent, report.accepted, report.done], [36, 36, 36]);
  assert.deepEqual([report.dead, report.lost, report.duplicates, report.unpromised], [0, 0, 0, 0]);
  assert.ok(isClean(report, strict));
  const expected = readdirSync(SAMPLES).flatMap((name) => {
    const event = name.split('.', 1)[0] ?? '';
    const path = event === 'star' || event === 'ping' ? '/tasks' : `/tasks/github.${event}`;
    const file = readFileSync(new URL(name, SAMPLES), 'utf8');
    return Array(3).fill(`${path} {"data":${file},"metadata":{"event":"${name}"}}`);
  });
  assert.deepEqual(requests.map(({ path, body }) => `${path} ${body}`).toSorted(), expected.toSorted());
});

test('names by id a task that got its 202 and is nowhere', async (t) => {
  const { report } = await replayThrough(t, ['lost', 'done', 'lost']);
  assert.equal(report.lost, 2);
  assert.equal(new Set(report.lostIds).size, 2);
  assert.equal(report.done, 10);
  assert.equal(isClean(report, { dead: true, refused: true }), false);
});

test('tells dead, duplicate and still queued tasks apart from lost ones', async (t) => {
  const { report } = await replayThrough(t, ['dead', 'done twice', 'left in the stream', 'lost']);
  assert.deepEqual([report.done, report.dead, report.pending, report.lost], [9, 1, 1, 1]);
  assert.deepEqual([report.duplicates, report.extraRuns, report.backlog], [1, 1, 1]);
  assert.equal(isClean(report, strict), false);
});

test('sends again after 503 and broken connections, and claims no 202 for what it cannot know', async (t) => {
  const { report } = await replayThrough(t, ['refused 503', 'reset', 'stored, then reset', 'reset']);
  assert.deepEqual([report.accepted, report.done, report.unconfirmed], [12, 12, 3]);
  assert.deepEqual(report.refused, { OVERLOADED: 1 });
  assert.equal(report.sent, 16);
  assert.equal(report.unpromised, 1); // the stored one ran under an id that nobody was told
  assert.ok(isClean(report, strict));
});

test('gives up what is refused for good', async (t) => {
  const { report } = await replayThrough(t, ['refused 422']);
  assert.deepEqual(report.refused, { VALIDATION_ERROR: 1 });
  assert.deepEqual([report.accepted, report.abandoned], [11, 1]);
  assert.equal(isClean(report, strict), false);
  assert.equal(isClean(report, { dead: false, refused: true }), true);
});

test('keeps off what was dead or done before it began', async (t) => {
  const digestDir = mkdtempSync(join(tmpdir(), 'sluice-replay-'));
  t.after(() => rmSync(digestDir, { recursive: true, force: true }));
  const streamName = `${randomUUID()}:stream`;
  for (const course of ['dead', 'done twice'] as const) {
    const standIn = await startStandIn(redis.url, streamName, digestDir, [course]);
    t.after(() => standIn.close());
    const report = await replay({
      url: standIn.url,
      redisUrl: redis.url,
      streamName,
      digestDir,
      connections: 1,
    });
    assert.equal(report.dead, course === 'dead' ? 1 : 0);
    assert.equal(report.unpromised, 0);
  }
});

test('goes on when Redis is away for a while', async (t) => {
  const paused = await startRedis();
  t.after(() => paused.stop());
  const digestDir = mkdtempSync(join(tmpdir(), 'sluice-replay-'));
  t.after(() => rmSync(digestDir, { recursive: true, force: true }));
  const standIn = await startStandIn(paused.url, 'away:stream', digestDir, []);
  t.after(() => standIn.close());
  let looks = 0;
  const report = await replay(
    { url: standIn.url, redisUrl: paused.url, streamName: 'away:stream', digestDir, times: 20, rate: 300 },
    {
      onProgress: () => {
        looks += 1;
        if (looks === 1) paused.pause();
        if (looks === 3) paused.resume();
      },
    },
  );
  assert.ok(looks >= 3);
  assert.deepEqual([report.accepted, report.done, report.lost], [240, 240, 0]);
});

test('says what is wrong before it sends anything', async (t) => {
  const digestDir = mkdtempSync(join(tmpdir(), 'sluice-replay-'));
  t.after(() => rmSync(digestDir, { recursive: true, force: true }));
  await assert.rejects(replay({ times: 0 }), { code: 'INVALID_OPTIONS' });
  await assert.rejects(replay({ folder: digestDir, redisUrl: redis.url }), /has no \.json file/);
  await assert.rejects(replay({ redisUrl: 'redis://127.0.0.1:1' }), { code: 'REDIS_UNAVAILABLE' });
});

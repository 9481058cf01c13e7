import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createConsumer } from '@sluice/consumers';
import { createEngine } from '@sluice/engine';
import {
  type DigestLine,
  DigestReader,
  handlers,
  isClean,
  replay,
  taskTypes,
} from '@sluice/example-webhooks';
import { startRedis } from '@sluice/testbed';

test('every sample body that is posted is worked off in a worker thread, once, and told in the digest', async (t) => {
  const digestDir = mkdtempSync(join(tmpdir(), 'sluice-pipeline-'));
  t.after(() => rmSync(digestDir, { recursive: true, force: true }));
  process.env.DIGEST_DIR = digestDir; // worker threads inherit it
  const redis = await startRedis();
  t.after(() => redis.stop());
  const queue = { redisUrl: redis.url, streamName: `${randomUUID()}:stream` };

  const engine = createEngine({ ...queue, host: '127.0.0.1', port: 0, taskTypes });
  const { url } = await engine.start();
  t.after(() => engine.stop());
  const consumer = createConsumer({ ...queue, handlers, threads: 2 });
  await consumer.start();
  t.after(() => consumer.stop());

  const report = await replay({ ...queue, url, digestDir, times: 25, connections: 16 });
  assert.deepEqual(report.refused, {});
  assert.deepEqual([report.accepted, report.done, report.dead, report.lost], [300, 300, 0, 0]);
  assert.deepEqual([report.duplicates, report.backlog], [0, 0]);
  assert.ok(isClean(report, { dead: false, refused: false }));

  const lines: DigestLine[] = [];
  await new DigestReader(digestDir).read((line) => lines.push(line));
  assert.equal(lines.length, 300);
  const merged = lines.filter((line) => line.what.includes('merged pull request #31'));
  assert.equal(merged.length, 25);
  assert.deepEqual(merged[0]?.counts, { pulls_merged: 1 });
  assert.equal(merged[0]?.type, 'github.pull_request');
  assert.equal(
    lines.filter((line) => line.type === 'default' && line.what.startsWith('star created')).length,
    25,
  );
});

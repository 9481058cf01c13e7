import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type DigestBounds, type DigestLine, DigestReader, DigestWriter } from '@sluice/example-webhooks';
import { startProcess } from '@sluice/testbed';

const APPENDER = new URL('./appender.js', import.meta.url);

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-digest-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function lineOf(taskId: string): DigestLine {
  return {
    task_id: taskId,
    attempt: 1,
    at: '2026-05-20T07:44:10.000Z',
    type: 'github.push',
    repository: 'lantern-works/paper-kite',
    what: 'jun-takeda pushed',
    counts: { pushes: 1 },
  };
}

function append(folder: string, ids: readonly string[], bounds?: DigestBounds): void {
  const writer = new DigestWriter(folder, bounds);
  for (const id of ids) writer.append(lineOf(id));
  writer.close();
}

async function readIds(reader: DigestReader): Promise<string[]> {
  const ids: string[] = [];
  await reader.read((line) => ids.push(line.task_id));
  return ids;
}

test('a reader sees each line once, however often it looks', async (t) => {
  const folder = folderFor(t);
  const reader = new DigestReader(folder);
  assert.deepEqual(await readIds(reader), []);
  append(folder, ['a', 'b']);
  assert.deepEqual(await readIds(reader), ['a', 'b']);
  append(folder, ['c']);
  assert.deepEqual(await readIds(reader), ['c']);
  assert.deepEqual(await readIds(reader), []);
});

test('a reader that starts at the end sees only what comes', async (t) => {
  const folder = folderFor(t);
  append(folder, ['old']);
  const reader = new DigestReader(folder);
  await reader.skipToEnd();
  append(folder, ['new']);
  assert.deepEqual(await readIds(reader), ['new']);
});

test('the torn half of a line costs no other line', async (t) => {
  const folder = folderFor(t);
  append(folder, ['a']);
  appendFileSync(join(folder, 'digest-000001.ndjson'), '{"task_id":"torn","attempt":1,"wh');
  append(folder, ['b']);
  assert.deepEqual(await readIds(new DigestReader(folder)), ['a', 'b']);
});

test('a line that is still being written is read once it is whole', async (t) => {
  const folder = folderFor(t);
  append(folder, ['a']);
  const file = join(folder, 'digest-000001.ndjson');
  const whole = readFileSync(file, 'utf8').replace('"a"', '"b"');
  const reader = new DigestReader(folder);
  appendFileSync(file, whole.slice(0, 30));
  assert.deepEqual(await readIds(reader), ['a']);
  appendFileSync(file, whole.slice(30));
  assert.deepEqual(await readIds(reader), ['b']);
});

test('a full segment is followed by the next, and old ones are deleted', async (t) => {
  const folder = folderFor(t);
  const ids = Array.from({ length: 100 }, (_, i) => `task-${i}`);
  append(folder, ids, { segmentBytes: 1_000, segments: 3 });
  const names = readdirSync(folder).toSorted();
  assert.equal(names.length, 3);
  const kept = await readIds(new DigestReader(folder));
  assert.deepEqual(kept, ids.slice(-kept.length));
});

test('a writer whose segment was deleted by another goes on in the newest', async (t) => {
  const folder = folderFor(t);
  const bounds = { segmentBytes: 1_000, segments: 2 };
  const slow = new DigestWriter(folder, bounds);
  slow.append(lineOf('first'));
  append(folder, Array(50).fill('other'), bounds);
  slow.append(lineOf('last'));
  slow.close();
  assert.ok((await readIds(new DigestReader(folder))).includes('last'));
});

test('no line of several threads and processes is lost or mixed up with another', async (t) => {
  const folder = folderFor(t);
  const lines = 2_000;
  const writers = ['process-1', 'process-2', 'thread-1', 'thread-2'];
  const ended = writers.map(async (name) => {
    const argv = [folder, name, String(lines)];
    if (name.startsWith('thread')) {
      const [code] = await once(new Worker(APPENDER, { argv }), 'exit');
      return assert.equal(code, 0, name);
    }
    const appender = startProcess(fileURLToPath(APPENDER), {}, argv);
    assert.deepEqual(await appender.exited, { code: 0, signal: null }, appender.output());
  });
  await Promise.all(ended);
  const ids = await readIds(new DigestReader(folder));
  const wanted = writers.flatMap((name) => Array.from({ length: lines }, (_, i) => `${name}/${i}`));
  assert.deepEqual(ids.toSorted(), wanted.toSorted());
});

import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defineTaskType, digestOfApiKey, newApiKey } from '@sluice/contract';
import { waitFor } from '@sluice/testbed';
import { Type } from 'typebox';
import { entriesOf, post, type Reply, redisForFile, runEngine } from './fixture.js';

const redis = redisForFile();
const [SHOP, RIVAL] = [newApiKey(), newApiKey()];
const line = (name: string, key: string) => `${name} * ${digestOfApiKey(key)}\n`;

function send(url: string, apiKey: string, data: number, path = '/tasks'): Promise<Reply> {
  const headers = { Authorization: `Bearer ${apiKey}`, 'Idempotency-Key': 'order-17' };
  return post(url + path, JSON.stringify({ data }), 'application/json', headers);
}

test('an idempotency key is that of the holder of the API key it came with, and of nobody else', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const apiKeysFile = join(folder, 'keys');
  writeFileSync(apiKeysFile, line('shop', SHOP) + line('rival', RIVAL));
  const taskTypes = [defineTaskType('mail', Type.Number())];
  const { url, stream, engine } = await runEngine(t, redis.server.url, { taskTypes, apiKeysFile });

  const shops = await send(url, SHOP, 1);
  const rivals = await send(url, RIVAL, 1);
  assert.notEqual(rivals.body.task_id, shops.body.task_id);
  assert.equal(rivals.headers.get('idempotency-replayed'), null);
  for (const [apiKey, first] of [
    [SHOP, shops],
    [RIVAL, rivals],
  ] as const) {
    const again = await send(url, apiKey, 1);
    assert.equal(again.headers.get('idempotency-replayed'), 'true');
    assert.equal(again.body.task_id, first.body.task_id);
    assert.equal((await send(url, apiKey, 2)).body.error?.code, 'IDEMPOTENCY_KEY_REUSED');
  }
  // Another body is no clash with what somebody else sent.
  assert.equal((await send(url, SHOP, 3, '/tasks/mail')).status, 202);
  assert.equal((await send(url, RIVAL, 4, '/tasks/mail')).status, 202);
  assert.equal((await entriesOf(redis.client, stream)).length, 2);

  // The holder goes by its name: with a new key, it is still the same one.
  const renewed = newApiKey();
  writeFileSync(`${apiKeysFile}.new`, line('shop', renewed) + line('rival', RIVAL));
  renameSync(`${apiKeysFile}.new`, apiKeysFile);
  await waitFor(async () => (await send(url, renewed, 1)).status === 202, {
    timeoutMs: 20_000,
    what: 'the file to be read again',
  });
  assert.equal((await send(url, renewed, 1)).body.task_id, shops.body.task_id);
  assert.equal(engine.counters.inFlightRequests, 0);
});

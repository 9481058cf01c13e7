import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BODY } from './body.js';
import { bodyOfSize, type Webhook } from './webhook-bodies.js';

function webhook(name: string, bytes: number): Webhook {
  return { name, json: JSON.stringify('x'.repeat(bytes - 2)) };
}

const WEBHOOKS = [webhook('small', 1000), webhook('middle', 2100), webhook('large', 4000)];

test('takes the webhook that comes closest to the size', () => {
  assert.equal(bodyOfSize(2000, WEBHOOKS).name, 'middle');
  assert.equal(bodyOfSize(5000, WEBHOOKS).name, 'large');
  assert.equal(bodyOfSize(200, WEBHOOKS).body, BODY);
});

test('puts several together when none is half as large', () => {
  const { name, body } = bodyOfSize(30_000, WEBHOOKS);
  assert.equal(name, '14 webhooks');
  assert.equal(JSON.parse(body).data.length, 14);
  assert.ok(Buffer.byteLength(body) >= 30_000 && Buffer.byteLength(body) < 34_100);
});

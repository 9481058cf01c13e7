import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { PendingRequest } from './pending-request.js';

class Request extends PendingRequest {
  /** Takes a part from memory that is written over afterwards, as that of uWebSockets.js is. */
  take(part: Buffer): void {
    this.bytes += part.length;
    const memory = new Uint8Array(part);
    this.keep(memory.buffer);
    memory.fill(0);
  }

  takeLast(part: Buffer): Uint8Array {
    this.bytes += part.length;
    return this.whole(new Uint8Array(part).buffer);
  }

  override refuse(): void {}
  override abort(): void {}
  protected override free(): void {}
}

test('puts bodies together from their parts, whatever their size and whoever sends at the same time', () => {
  const bodies = [5, 30_000, 64 * 1024, 64 * 1024 + 1, 300_000].map((size) => randomBytes(size));
  const requests = bodies.map(() => new Request());
  for (const cut of [0.2, 0.7]) {
    for (const [n, body] of bodies.entries()) {
      const from = cut === 0.2 ? 0 : Math.ceil(body.length * 0.2);
      requests[n]?.take(body.subarray(from, Math.ceil(body.length * cut)));
    }
  }
  for (const [n, body] of bodies.entries()) {
    const whole = requests[n]?.takeLast(body.subarray(Math.ceil(body.length * 0.7)));
    assert.ok(body.equals(whole ?? Buffer.alloc(0)), `${body.length} bytes`);
  }
});

test('hands on a body that came in one piece as it is', () => {
  const body = randomBytes(1000);
  assert.ok(body.equals(new Request().takeLast(body)));
});

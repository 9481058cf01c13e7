import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppendBuffer } from './append-buffer.js';

test('hands out what was put in, in order, across blocks and large payloads', () => {
  const buffer = new AppendBuffer();
  for (let round = 0; round < 3; round++) {
    const expected: Buffer[] = [];
    for (let i = 0; i < 500; i++) {
      const text = `head ${round}.${i}: `;
      const payload = Buffer.alloc((i * 977) % 40_000, i % 256);
      buffer.text(text);
      buffer.bytes(payload);
      expected.push(Buffer.from(text), payload);
    }
    const { chunks, release } = buffer.take();
    assert.ok(Buffer.concat(chunks).equals(Buffer.concat(expected)));
    release();
  }
});

test('keeps a copy: what the caller does to its bytes afterwards changes nothing', () => {
  const buffer = new AppendBuffer();
  const small = Buffer.from('small');
  const large = Buffer.alloc(100_000, 'a');
  buffer.bytes(small);
  buffer.bytes(large);
  small.fill('x');
  large.fill('x');
  const text = Buffer.concat(buffer.take().chunks).toString();
  assert.equal(text, `small${'a'.repeat(100_000)}`);
});

test('does not write over blocks that have not been released yet', () => {
  const buffer = new AppendBuffer();
  buffer.text('first');
  const first = buffer.take();
  buffer.text('second');
  buffer.take().release();
  buffer.text('third');
  assert.equal(Buffer.concat(first.chunks).toString(), 'first');
});

test('goes back to the mark, whatever was added since, and only once', () => {
  const buffer = new AppendBuffer();
  for (const before of [0, 10, 40_000, 65_000]) {
    for (const sizes of [[1], [30_000], [16_000, 16_000, 16_000, 16_000, 16_000], [500, 100_000, 10]]) {
      const kept = Buffer.alloc(before, 'k');
      for (let at = 0; at < before; at += 10_000) buffer.bytes(kept.subarray(at, at + 10_000));
      buffer.mark();
      for (const size of sizes) {
        buffer.text('head');
        buffer.bytes(Buffer.alloc(size, 'x'));
      }
      assert.equal(buffer.backToMark(), true);
      assert.equal(buffer.backToMark(), false);
      buffer.text('after');
      const { chunks, release } = buffer.take();
      assert.ok(Buffer.concat(chunks).equals(Buffer.concat([kept, Buffer.from('after')])));
      release();
    }
  }
});

test('does not go back to before what was taken', () => {
  const buffer = new AppendBuffer();
  buffer.mark();
  buffer.text('gone');
  buffer.take();
  assert.equal(buffer.backToMark(), false);
});

test('takes no new memory for large payloads once there are blocks for them', () => {
  const buffer = new AppendBuffer();
  const payload = Buffer.alloc(30_000, 'a');
  const fill = () => {
    for (let i = 0; i < 20; i++) buffer.bytes(payload);
    buffer.take().release();
  };
  fill();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 100; i++) fill(); // 60 MB
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
});

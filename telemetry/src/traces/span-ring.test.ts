import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RingReader, RingWriter, ringMemory } from './span-ring.js';

/** Writes numbered records in bursts and reads some after each; returns what was read and how many were dropped. */
function run(writer: RingWriter, reader: RingReader, bursts: number, burst: number, readEach: number) {
  const read: number[] = [];
  let next = 0;
  const take = (at: number): void => {
    read.push(reader.floats[at / 8] ?? -1);
  };
  for (let i = 0; i < bursts; i++) {
    for (let j = 0; j < burst; j++) {
      const at = writer.claim();
      if (at >= 0) {
        writer.floats[at / 8] = next;
        writer.publish();
      }
      next++;
    }
    reader.read(readEach, take);
  }
  while (reader.read(readEach, take) > 0);
  return { due: next, read, dropped: writer.dropped };
}

/** A ring that makes room by taking it from the oldest record, and says nothing. */
class OverwritingWriter extends RingWriter {
  override claim(): number {
    const at = super.claim();
    return at === -1 ? 0 : at;
  }
  override get dropped(): number {
    return 0;
  }
}

describe('the ring of span records', () => {
  it('hands over every record in order, round and round', () => {
    const memory = ringMemory(8, 16);
    const { due, read, dropped } = run(new RingWriter(memory), new RingReader(memory), 1000, 7, 7);
    assert.equal(due, 7000);
    assert.equal(dropped, 0);
    assert.deepEqual(read, [...Array(7000).keys()]);
  });

  it('counts what finds no room, and keeps what it has', () => {
    const memory = ringMemory(8, 16);
    const { due, read, dropped } = run(new RingWriter(memory), new RingReader(memory), 100, 11, 5);
    assert.ok(dropped > 0);
    assert.equal(read.length + dropped, due);
    assert.deepEqual(
      read,
      [...new Set(read)].sort((a, b) => a - b),
    );
  });

  it('is seen to lose records silently when it overwrites them', () => {
    const memory = ringMemory(8, 16);
    const { due, read, dropped } = run(new OverwritingWriter(memory), new RingReader(memory), 100, 11, 5);
    const kept = new Set(read).size;
    assert.notEqual(kept + dropped, due);
  });

  it('goes on where the writer before it has ended', () => {
    const memory = ringMemory(8, 16);
    const reader = new RingReader(memory);
    for (const value of [1, 2, 3]) {
      const writer = new RingWriter(memory);
      const at = writer.claim();
      writer.floats[at / 8] = value;
      writer.publish();
      writer.claim(); // and dies before it is written
    }
    const read: number[] = [];
    reader.read(8, (at) => read.push(reader.floats[at / 8] ?? -1));
    assert.deepEqual(read, [1, 2, 3]);
  });

  it('counts on beyond 2^31 records', () => {
    const memory = ringMemory(4, 16);
    const control = new Int32Array(memory.buffer);
    control[0] = 0x7fff_fffe; // the head, and
    control[16] = 0x7fff_fffe; // the tail
    const { read, dropped } = run(new RingWriter(memory), new RingReader(memory), 10, 3, 3);
    assert.equal(dropped, 0);
    assert.equal(read.length, 30);
  });
});

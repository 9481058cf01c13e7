import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GroupReply } from './group-reply.js';

const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const entry = (id: string, ...fields: string[]) =>
  `*2\r\n${bulk(id)}*${fields.length}\r\n${fields.map(bulk).join('')}`;
const stream = (name: string, ...entries: string[]) =>
  `*2\r\n${bulk(name)}*${entries.length}\r\n${entries.join('')}`;
const reply = (...streams: string[]) => `*${streams.length}\r\n${streams.join('')}`;

const TWO_STREAMS = reply(
  stream(
    'tâches',
    entry('1-0', 'type', 'größer', 'payload', '*2\r\n$3\r\n'),
    entry('1-1', 'type', '', 'payload', ''),
  ),
  stream('tasks:stream:b', entry('18446744073709551615-2', 'type', 'b')),
);
const AS_READ = [
  ['tâches', ['1-0', 'type', 'größer', 'payload', '*2\r\n$3\r\n'], ['1-1', 'type', '', 'payload', '']],
  ['tasks:stream:b', ['18446744073709551615-2', 'type', 'b']],
];

function read(chunks: readonly Buffer[]) {
  const one = new GroupReply();
  const complete = chunks.map((chunk) => one.push(chunk));
  return {
    complete,
    deliveries: one.deliveries.map(({ stream, entries }) => [
      stream,
      ...entries.map(([id, fields]) => [id, ...fields.map(String)]),
    ]),
  };
}

describe('the reply to a read', () => {
  it('is read as it was sent', () => {
    assert.deepEqual(read([Buffer.from(TWO_STREAMS)]), { complete: [true], deliveries: AS_READ });
  });

  it('may be cut anywhere', () => {
    const bytes = Buffer.from(TWO_STREAMS);
    for (let cut = 1; cut < bytes.length; cut++) {
      const { complete, deliveries } = read([bytes.subarray(0, cut), bytes.subarray(cut)]);
      assert.deepEqual(complete, [false, true], `cut at ${cut}`);
      assert.deepEqual(deliveries, AS_READ, `cut at ${cut}`);
    }
    const single = Array.from(bytes, (byte) => Buffer.from([byte]));
    assert.deepEqual(read(single).deliveries, AS_READ);
  });

  it('is looked at again only when a large value can have arrived', () => {
    const value = 'x'.repeat(1_000_000);
    const bytes = Buffer.from(reply(stream('s', entry('1-0', 'payload', value, 'type', 'b'))));
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 1000) chunks.push(bytes.subarray(at, at + 1000));
    const { complete, deliveries } = read(chunks);
    assert.deepEqual(complete.indexOf(true), chunks.length - 1);
    assert.deepEqual(deliveries, [['s', ['1-0', 'payload', value, 'type', 'b']]]);
  });

  it('may be nothing, or empty', () => {
    assert.deepEqual(read([Buffer.from('*-1\r\n')]), { complete: [true], deliveries: [] });
    assert.deepEqual(read([Buffer.from(reply(stream('s')))]).deliveries, [['s']]);
  });

  it('may be an error, cut anywhere too', () => {
    const error = Buffer.from('-NOGROUP No such key\r\n');
    for (let cut = 1; cut < error.length; cut++) {
      assert.throws(() => read([error.subarray(0, cut), error.subarray(cut)]), {
        name: 'ReplyError',
        message: 'NOGROUP No such key',
      });
    }
  });

  it('is no other reply', () => {
    for (const other of [
      '+OK\r\n',
      ':1\r\n',
      '*1\r\n:1\r\n',
      '*1\r\n*2\r\n*0\r\n',
      `${TWO_STREAMS}+OK\r\n`,
    ]) {
      assert.throws(() => read([Buffer.from(other)]), { name: 'Error', message: /^Redis sent/ }, other);
    }
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponseScanner } from './response-scanner.js';

const ACCEPTED =
  'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nuWebSockets: 20\r\nContent-Length: 25\r\n\r\n' +
  '{"n":"HTTP/1.1 500\\r\\n"}\n';
const REFUSED = 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\ncontent-length: 0\r\n\r\n';
const BOTH = Buffer.from(ACCEPTED + REFUSED + ACCEPTED);

function statusesOf(...pieces: Uint8Array[]): number[] {
  const statuses: number[] = [];
  const scanner = new ResponseScanner((status) => statuses.push(status));
  for (const piece of pieces) scanner.push(piece);
  return statuses;
}

test('finds every response of a connection and its status', () => {
  assert.deepEqual(statusesOf(BOTH), [202, 503, 202]);
});

test('finds them however the bytes are cut in two', () => {
  for (let cut = 0; cut <= BOTH.length; cut++) {
    assert.deepEqual(statusesOf(BOTH.subarray(0, cut), BOTH.subarray(cut)), [202, 503, 202], `cut at ${cut}`);
  }
});

test('finds them when every byte comes alone', () => {
  assert.deepEqual(statusesOf(...Array.from(BOTH, (byte) => Uint8Array.of(byte))), [202, 503, 202]);
});

test('a response counts only once its last byte is there', () => {
  const whole = Buffer.from(ACCEPTED);
  assert.deepEqual(statusesOf(whole.subarray(0, -1)), []);
  assert.deepEqual(statusesOf(whole), [202]);
});

test('reads no further than the bytes that were received into a buffer', () => {
  const statuses: number[] = [];
  const scanner = new ResponseScanner((status) => statuses.push(status));
  scanner.push(BOTH, Buffer.byteLength(ACCEPTED));
  assert.deepEqual(statuses, [202]);
});

test('a header whose name only begins or ends like Content-Length is another header', () => {
  const response =
    'HTTP/1.1 202 Accepted\r\nContent-Length-Of-Old: 9\r\nX-Content-Length: 7\r\nContent-Length: 2\r\n\r\n{}';
  assert.deepEqual(statusesOf(Buffer.from(response)), [202]);
});

test('a response that does not state its length is an error, not a guess', () => {
  const response = 'HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n';
  assert.throws(() => statusesOf(Buffer.from(response)), /status 202 does not state its length/);
});

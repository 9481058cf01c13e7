import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RespReplies } from './resp-replies.js';

const REPLIES =
  '$15\r\n1700000000000-0\r\n-OOM command not allowed\r\n+PONG\r\n:3\r\n*2\r\n:1\r\n:0\r\n$-1\r\n$0\r\n\r\n';
const MEANING = [undefined, 'OOM command not allowed', undefined, undefined, undefined, undefined, undefined];

function readIn(chunks: Buffer[]): (string | undefined)[] {
  const seen: (string | undefined)[] = [];
  const replies = new RespReplies((count, error) => {
    for (let i = 0; i < count; i++) seen.push(error);
  });
  for (const chunk of chunks) replies.push(chunk);
  return seen;
}

test('reads every kind of reply that our commands have', () => {
  assert.deepEqual(readIn([Buffer.from(REPLIES)]), MEANING);
});

test('reads the same replies however the network cuts them into two or three', () => {
  const bytes = Buffer.from(REPLIES);
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
      assert.deepEqual(readIn(chunks), MEANING, `cut at ${first} and ${second}`);
    }
  }
});

test('tells of successes in a row once, and of each error, number and status by itself', () => {
  const seen: unknown[] = [];
  const replies = new RespReplies((...told) => seen.push(told));
  replies.push(
    Buffer.from(
      '$3\r\n1-0\r\n$3\r\n1-1\r\n-ERR a\r\n$3\r\n1-2\r\n:7\r\n:8\r\n*2\r\n:12\r\n:0\r\n+OK\r\n$3\r\n1-',
    ),
  );
  replies.push(Buffer.from('3\r\n'));
  assert.deepEqual(seen, [
    [2, undefined, undefined, undefined],
    [1, 'ERR a', undefined, undefined],
    [1, undefined, undefined, undefined],
    [1, undefined, 7, undefined],
    [1, undefined, 8, undefined],
    [1, undefined, 12, undefined],
    [1, undefined, undefined, 'OK'],
    [1, undefined, undefined, undefined],
  ]);
});

test('replies before the bytes that are none still count', () => {
  let succeeded = 0;
  const replies = new RespReplies((count) => {
    succeeded += count;
  });
  assert.throws(() => replies.push(Buffer.from('$3\r\n1-0\r\n$3\r\n1-1\r\n%1\r\n')), /unexpected kind/);
  assert.equal(succeeded, 2);
});

test('refuses bytes that are no reply to a command of ours, since the order is lost then', () => {
  for (const bytes of ['*1\r\n$1\r\na\r\n', '*2\r\n:1\r\n+OK\r\n', '*0\r\n', '*-1\r\n', '*x\r\n', '%1\r\n']) {
    assert.throws(() => readIn([Buffer.from(bytes)]), /unexpected kind of reply/);
  }
});

test('refuses to collect an endless reply', () => {
  const line = Buffer.concat([Buffer.from('-'), Buffer.alloc(RespReplies.MAX_REPLY + 1, 'x')]);
  assert.throws(() => readIn([line]), /larger than expected/);
});

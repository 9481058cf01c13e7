import type { HttpRequest } from 'uWebSockets.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHead } from './request-head.js';

type Headers = [name: string, value: string][];

/** A request of which nothing but the headers is there. */
function requestWith(headers: Headers): HttpRequest {
  const forEach = (each: (name: string, value: string) => void): void => {
    for (const [name, value] of headers) each(name, value);
  };
  return { forEach } as unknown as HttpRequest;
}

const PLAIN: Headers = [
  ['host', 'a'],
  ['content-type', 'application/json'],
  ['content-length', '17'],
];
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('reads what the intake has to know, wherever it stands, and forgets it with the next request', () => {
  const all: Headers = [
    ...PLAIN,
    ['traceparent', TRACEPARENT],
    ['tracestate', 'a=1'],
    ['prefer', 'ack=received'],
    ['idempotency-key', 'k'],
  ];
  for (const headers of [all, all.toReversed()]) {
    const { contentType, contentLength, traceContext, traceState, asked, ambiguity } = readHead(
      requestWith(headers),
    );
    assert.deepEqual([contentType, contentLength], ['application/json', 17]);
    assert.deepEqual([traceContext, traceState], [TRACEPARENT, 'a=1']);
    assert.notEqual(asked, undefined);
    assert.equal(ambiguity, undefined);
  }
  const { traceContext, traceState, asked } = readHead(requestWith(PLAIN));
  assert.deepEqual([traceContext, traceState, asked], [undefined, undefined, undefined]);
});

test('a body that is compressed is known as that, and the next one as none', () => {
  for (const [encoding, encoded] of [
    ['gzip', true],
    ['identity', false],
    ['br, identity', true],
    ['Identity', false],
    ['', false],
    ['x', true],
  ] as const) {
    assert.equal(
      readHead(requestWith([...PLAIN, ['content-encoding', encoding]])).encoded,
      encoded,
      encoding,
    );
    assert.equal(readHead(requestWith(PLAIN)).encoded, false);
  }
});

test('a header of another name is none of ours, whatever its length', () => {
  for (let length = 1; length <= 40; length++) {
    const stranger = 'x'.repeat(length);
    const { contentLength, chunked, asked, ambiguity } = readHead(
      requestWith([...PLAIN, [stranger, '99'], [stranger, '98']]),
    );
    assert.deepEqual([contentLength, chunked, asked, ambiguity], [17, false, undefined, undefined]);
  }
});

test('every way in which the end of a request cannot be told is seen, wherever it stands', () => {
  const ambiguous: Headers[] = [
    [...PLAIN, ['host', 'b']],
    PLAIN.slice(1),
    [...PLAIN, ['content-length', '17']],
    [...PLAIN, ['transfer-encoding', 'chunked']],
    [...PLAIN.slice(0, 2), ['content-length', '0x11']],
    [...PLAIN.slice(0, 2), ['content-length', '']],
    [...PLAIN.slice(0, 2), ['transfer-encoding', 'gzip']],
    [...PLAIN.slice(0, 2), ['transfer-encoding', 'chunked'], ['transfer-encoding', 'chunked']],
  ];
  for (const headers of ambiguous) {
    for (const order of [headers, headers.toReversed()]) {
      assert.notEqual(readHead(requestWith(order)).ambiguity, undefined, JSON.stringify(order));
    }
  }
});

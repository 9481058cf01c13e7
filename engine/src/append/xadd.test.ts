import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeCommand } from '@sluice/contract';
import { AppendBuffer } from './append-buffer.js';
import { xaddEncoder } from './xadd.js';

const ID = '7f9c24e5-2c2b-4f0b-9a51-0d2f3a1b4c5d';
const TIME = '2026-01-02T03:04:05.678Z';
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const NAME = { names: Buffer.from(`?${ID}${TRACE}`), nameAt: 1, contentType: 'application/json' } as const;

function encoded(
  stream: string,
  payload: string,
  dropOldestAt?: number,
  traceContext?: string,
  traceState?: string,
): string {
  const buffer = new AppendBuffer();
  const encode = xaddEncoder(stream, 'mail', dropOldestAt);
  encode(buffer, { ...NAME, traceContext, traceState }, TIME, Buffer.from(payload));
  return Buffer.concat(buffer.take().chunks).toString();
}

function command(
  stream: string,
  payload: string,
  trimming: string[] = [],
  trace = TRACE,
  more: string[] = [],
): string {
  const fields = ['task_id', ID, 'timestamp', TIME, 'type', 'mail', 'content_type', 'application/json'];
  fields.push('payload', payload, 'trace_context', trace, ...more);
  return encodeCommand(['XADD', stream, ...trimming, '*', ...fields]);
}

test('writes the same bytes as an XADD put together word by word', () => {
  assert.equal(encoded('tasks:stream:mail', '{"data":1}'), command('tasks:stream:mail', '{"data":1}'));
});

test('counts bytes, not characters, in payloads and stream names', () => {
  assert.equal(encoded('café', '{"data":"ü€😀"}'), command('café', '{"data":"ü€😀"}'));
});

test('lets Redis delete the oldest entries only where that was asked for', () => {
  assert.equal(encoded('s', '1', 500), command('s', '1', ['MAXLEN', '~', '500']));
});

test('hands on the traceparent that a client sent, also a longer one of a later version', () => {
  for (const sent of [TRACE.replace('4bf9', '0000'), `cc${TRACE.slice(2)}-more`]) {
    assert.equal(encoded('s', '1', undefined, sent), command('s', '1', [], sent));
  }
});

test('hands on a tracestate behind it', () => {
  const state = 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE';
  const more = ['trace_state', state];
  assert.equal(encoded('s', '"ü"', 9, TRACE, state), command('s', '"ü"', ['MAXLEN', '~', '9'], TRACE, more));
  assert.equal(encoded('s', '1', undefined, undefined, state), command('s', '1', [], TRACE, more));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppendBuffer } from './append-buffer.js';
import { encodeCommand } from './append-connection.js';
import { xaddEncoder } from './xadd.js';

const ID = '7f9c24e5-2c2b-4f0b-9a51-0d2f3a1b4c5d';
const TIME = '2026-01-02T03:04:05.678Z';
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

function encoded(stream: string, payload: string, dropOldestAt?: number): string {
  const buffer = new AppendBuffer();
  const encode = xaddEncoder(stream, 'mail', dropOldestAt);
  encode(buffer, ID, TIME, 'application/json', Buffer.from(payload), TRACE);
  return Buffer.concat(buffer.take().chunks).toString();
}

function command(stream: string, payload: string, ...trimming: string[]): string {
  const fields = ['task_id', ID, 'timestamp', TIME, 'type', 'mail', 'content_type', 'application/json'];
  fields.push('payload', payload, 'trace_context', TRACE);
  return encodeCommand(['XADD', stream, ...trimming, '*', ...fields]).toString();
}

test('writes the same bytes as an XADD put together word by word', () => {
  assert.equal(encoded('tasks:stream:mail', '{"data":1}'), command('tasks:stream:mail', '{"data":1}'));
});

test('counts bytes, not characters, in payloads and stream names', () => {
  assert.equal(encoded('café', '{"data":"ü€😀"}'), command('café', '{"data":"ü€😀"}'));
});

test('lets Redis delete the oldest entries only where that was asked for', () => {
  assert.equal(encoded('s', '1', 500), command('s', '1', 'MAXLEN', '~', '500'));
});

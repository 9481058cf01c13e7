import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeCommand } from '@sluice/contract';
import type { Due } from '../intake/due.js';
import { AppendBuffer } from './append-buffer.js';
import { scheduleEncoder } from './schedule.js';

const ID = '7f9c24e5-2c2b-4f0b-9a51-0d2f3a1b4c5d';
const TIME = '2026-01-02T03:04:05.678Z';
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

function encoded(due: Due, payload: string, dropOldestAt?: number): string {
  const buffer = new AppendBuffer();
  const encode = scheduleEncoder('café', 'mail', 70, dropOldestAt)(due);
  const names = Buffer.from(ID + TRACE);
  const task = {
    names,
    nameAt: 0,
    contentType: 'application/msgpack',
    traceContext: undefined,
    traceState: undefined,
  } as const;
  encode(buffer, task, TIME, Buffer.from(payload));
  return Buffer.concat(buffer.take().chunks).toString();
}

function command(script: string, ...args: string[]): string {
  const keys = ['café:mail', ...['due', 'tasks', 'ledger'].map((key) => `café:mail:scheduled:${key}`)];
  const fields = ['task_id', ID, 'timestamp', TIME, 'type', 'mail', 'content_type', 'application/msgpack'];
  const rest = ['trace_context', TRACE];
  const [due = '', max = '', trim = '', payload = ''] = args;
  return encodeCommand([
    ...['EVAL', script, '4', ...keys, due, max, trim, ...fields, 'payload', payload, ...rest],
  ]);
}

const script = /#!lua\n(?:.*\n)*?(?=\r\n)/.exec(encoded({ inMs: 1 }, ''))?.[0] ?? '';

test('writes the same bytes as a command put together word by word', () => {
  assert.equal(encoded({ inMs: 1500 }, 'ü€😀'), command(script, '+1500', '70', '0', 'ü€😀'));
  assert.equal(encoded({ atMs: -5 }, '', 500), command(script, '-5', '70', '500', ''));
});

test('sends the script with its flags and without its comments', () => {
  assert.match(script, /^#!lua\nlocal /);
  assert.doesNotMatch(script, /--/);
});

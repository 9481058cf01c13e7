import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadedHandler } from '../handlers/handler-registry.js';
import { Entry, Lane } from '../reading/entry.js';
import { laneKeys } from '../redis/group.js';
import { Poison, readTask } from './task-reader.js';

const [keys] = laneKeys('tasks:stream', 'group', ['default']);
assert.ok(keys);
const lane = new Lane(0, keys, 1);

function handlerOf(taskType: string, faultsOf: LoadedHandler['faultsOf'] = () => undefined): LoadedHandler {
  return {
    taskType,
    retryPolicy: { maxAttempts: 3, backoff: { baseMs: 1, maxMs: 1, jitter: 0 } },
    timeoutMs: 1000,
    breaker: undefined,
    rateLimit: undefined,
    concurrency: 1,
    faultsOf,
    run: () => undefined,
  };
}

const handlers = new Map([
  ['default', handlerOf('default')],
  ['resize', handlerOf('resize', (data) => (data === 'good' ? undefined : '/ must be good'))],
]);

function read(fields: Record<string, string>) {
  const flat = Object.entries(fields).flatMap(([name, value]) => [Buffer.from(name), Buffer.from(value)]);
  return readTask(new Entry('1-1', lane, 0, flat, 2, 1, 0), handlers);
}

const good = {
  task_id: 'a',
  timestamp: '2025-01-01T00:00:00.000Z',
  type: 'default',
  content_type: 'application/json',
  payload: '{"data":1,"metadata":{"m":2}}',
  trace_context: '00-1-2-01',
  trace_state: 'a=1',
};

test('an entry becomes the task its handler sees', () => {
  const { task, handler } = read(good);
  assert.equal(handler.taskType, 'default');
  assert.deepEqual(task, {
    id: 'a',
    type: 'default',
    data: 1,
    metadata: { m: 2 },
    attempt: 2,
    timestamp: '2025-01-01T00:00:00.000Z',
    traceparent: '00-1-2-01',
    tracestate: 'a=1',
  });
});

test('what other producers leave out is empty', () => {
  const { task } = read({ task_id: 'a', type: 'default', payload: '{"data":1}' });
  assert.equal(task.timestamp, '');
  assert.equal(task.traceparent, '');
  assert.equal(task.tracestate, '');
  assert.deepEqual(task.metadata, {});
});

test('the type of the entry decides who runs it, whichever stream it is in', () => {
  assert.equal(read({ ...good, type: 'resize', payload: '{"data":"good"}' }).handler.taskType, 'resize');
});

const poison: [reason: string, fields: Record<string, string>][] = [
  ['missing-field', { type: 'default', payload: '{"data":1}' }],
  ['missing-field', { task_id: 'a', payload: '{"data":1}' }],
  ['missing-field', { task_id: 'a', type: 'default' }],
  ['missing-field', {}],
  ['undecodable', { ...good, payload: 'no json' }],
  ['undecodable', { ...good, content_type: 'text/plain' }],
  ['unknown-type', { ...good, type: 'nobody' }],
  ['schema-mismatch', { ...good, type: 'resize', payload: '{"data":"bad"}' }],
];
for (const [reason, fields] of poison) {
  test(`poison: ${reason} (${Object.keys(fields).length} fields)`, () => {
    assert.throws(
      () => read(fields),
      (error) => error instanceof Poison && error.reason === reason && error.message !== '',
    );
  });
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SluiceError } from './errors.js';
import { MESSAGE_FIELDS, readMessage } from './message.js';

const fieldsOf = (entry: Record<string, string | Buffer>) =>
  Object.entries(entry).flatMap(([name, value]) => [Buffer.from(name), Buffer.from(value)]);

const entry = {
  task_id: '0b5c0c0e-8f0a-4c7e-9d7e-3d6a3f7b2a11',
  timestamp: '2025-01-01T00:00:00.000Z',
  type: 'push',
  content_type: 'application/msgpack',
  payload: Buffer.from([0x81, 0xff, 0x00]),
  trace_context: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};

const refusal = (fields: readonly Buffer[]): SluiceError => {
  try {
    readMessage(fields);
  } catch (error) {
    assert.ok(error instanceof SluiceError);
    return error;
  }
  return assert.fail('the entry was read');
};

describe('readMessage', () => {
  it('reads an entry, its payload byte for byte', () => {
    assert.deepEqual(Object.keys(entry), [...MESSAGE_FIELDS]);
    assert.deepEqual(readMessage(fieldsOf(entry)), {
      taskId: entry.task_id,
      timestamp: entry.timestamp,
      type: 'push',
      contentType: 'application/msgpack',
      payload: entry.payload,
      traceContext: entry.trace_context,
      traceState: '',
      isTracked: false,
    });
  });

  it('reads what any client can write: fewest fields, any order, fields of its own', () => {
    const message = readMessage(
      fieldsOf({ payload: '{"data":1}', note: 'mine', type: 'default', task_id: 'ünïque' }),
    );
    assert.deepEqual(message, {
      taskId: 'ünïque',
      timestamp: '',
      type: 'default',
      contentType: 'application/json',
      payload: Buffer.from('{"data":1}'),
      traceContext: '',
      traceState: '',
      isTracked: false,
    });
  });

  it('takes an empty payload for a payload', () => {
    assert.equal(readMessage(fieldsOf({ task_id: 'a', type: 'b', payload: '' })).payload.length, 0);
  });

  for (const field of ['task_id', 'type', 'payload'] as const) {
    it(`refuses an entry without ${field}, naming it`, () => {
      const { [field]: _, ...rest } = entry;
      const error = refusal(fieldsOf(rest));
      assert.equal(error.code, 'MISSING_FIELD');
      assert.equal(error.message, `the entry has no field ${field}; needed: task_id, type, payload`);
    });
  }

  it('refuses an empty task_id or type', () => {
    assert.equal(refusal(fieldsOf({ ...entry, task_id: '' })).code, 'MISSING_FIELD');
    assert.equal(refusal(fieldsOf({ ...entry, type: '' })).code, 'MISSING_FIELD');
  });

  it('refuses an encoding it does not know, naming it', () => {
    const error = refusal(fieldsOf({ ...entry, content_type: 'text/"xml"' }));
    assert.equal(error.code, 'UNDECODABLE');
    assert.equal(
      error.message,
      'content_type is "text/\\"xml\\""; allowed: application/json, application/msgpack',
    );
  });

  it('refuses an entry whose last field has no value', () => {
    assert.equal(
      refusal([...fieldsOf({ task_id: 'a', type: 'b' }), Buffer.from('payload')]).code,
      'MISSING_FIELD',
    );
    assert.equal(refusal([]).code, 'MISSING_FIELD');
  });
});

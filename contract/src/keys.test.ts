import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { queueKeys } from './keys.js';
import { DEFAULT_TASK_TYPE } from './task-type.js';

describe('queueKeys', () => {
  it('builds every key from the name of the untyped stream', () => {
    const keys = queueKeys('tasks:stream');
    assert.equal(keys.stream(DEFAULT_TASK_TYPE), 'tasks:stream');
    assert.equal(keys.stream('push'), 'tasks:stream:push');
    assert.equal(keys.retries('tasks:stream:push', 'processors'), 'tasks:stream:push:retries:processors');
    assert.equal(keys.attempts('tasks:stream:push', 'processors'), 'tasks:stream:push:attempts:processors');
    assert.equal(keys.ledger('tasks:stream:push', 'processors'), 'tasks:stream:push:ledger:processors');
    assert.deepEqual(keys.schedule('tasks:stream:push'), {
      due: 'tasks:stream:push:scheduled:due',
      tasks: 'tasks:stream:push:scheduled:tasks',
      ledger: 'tasks:stream:push:scheduled:ledger',
      lease: 'tasks:stream:push:scheduled:lease',
    });
    assert.equal(keys.breaker('tasks:stream:push', 'processors'), 'tasks:stream:push:breaker:processors');
    assert.equal(keys.failures('tasks:stream:push', 'processors'), 'tasks:stream:push:failures:processors');
    assert.equal(keys.rate('tasks:stream:push', 'processors'), 'tasks:stream:push:rate:processors');
    assert.equal(keys.cronRuns, 'tasks:stream:cron:runs');
    assert.equal(keys.idempotency('tasks:stream:push', 'a:b', ''), 'idempotency:{tasks:stream:push}:a:b');
    assert.equal(keys.idempotency('tasks:stream:push', 'a', 'me'), 'idempotency:{tasks:stream:push}me:a');
    assert.equal(keys.tracked('tasks:stream:push', 'id'), 'task:{tasks:stream:push}:id');
    assert.equal(keys.deadLetters, 'tasks:dlq');
  });

  it('keeps the whole name where it does not end in :stream', () => {
    const keys = queueKeys('shop');
    assert.equal(keys.stream(DEFAULT_TASK_TYPE), 'shop');
    assert.equal(keys.stream('order'), 'shop:order');
    assert.equal(keys.ledger('shop', 'g'), 'shop:ledger:g');
    assert.equal(keys.deadLetters, 'shop:dlq');
  });

  it('gives each kind of key a name of its own', () => {
    for (const name of ['tasks:stream', 'shop']) {
      const keys = queueKeys(name);
      const types = [DEFAULT_TASK_TYPE, 'retries', 'ledger', 'scheduled', 'due', 'tasks', 'cron', 'runs'];
      const streams = types.map((type) => keys.stream(type));
      const all = [
        ...streams,
        ...streams.flatMap((stream) => [
          keys.retries(stream, 'g'),
          keys.attempts(stream, 'g'),
          keys.ledger(stream, 'g'),
          keys.breaker(stream, 'g'),
          keys.failures(stream, 'g'),
          keys.rate(stream, 'g'),
          ...Object.values(keys.schedule(stream)),
          // Chosen by clients: these look like other keys, or like keys of another type.
          ...['k', 'retries:g', 'due:k', 'cron:runs', 'due}:k'].flatMap((key) => [
            keys.idempotency(stream, key, ''),
            keys.idempotency(stream, key, 'me'),
            keys.idempotency(stream, `me:${key}`, ''),
          ]),
          keys.tracked(stream, 'k'),
        ]),
        keys.cronRuns,
        keys.deadLetters,
      ];
      assert.equal(new Set(all).size, all.length);
    }
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnvironment, resolveOptions } from '@sluice/contract';
import { createConsumer } from './consumer.js';
import { consumerOptionPairs, consumerOptions } from './options.js';

test('without any option the defaults of the specification hold', () => {
  const options = resolveOptions(consumerOptions, {}, consumerOptionPairs);
  assert.equal(options.group, 'processors');
  assert.equal(options.streamName, 'tasks:stream');
  assert.equal(options.maxConcurrentTasks, 1000);
  assert.equal(options.maxAttempts, 3);
  assert.equal(options.taskTimeoutSeconds, 30);
  assert.equal(options.shutdownTimeoutSeconds, 30);
});

test('the environment carries the same numbers and units', () => {
  const environment = {
    TASK_TIMEOUT: '1.5',
    CONSUMER_THREADS: '3',
    MAX_CONCURRENT_TASKS: '7',
    MAX_ATTEMPTS: '9',
  };
  const options = readEnvironment(consumerOptions, environment, consumerOptionPairs);
  assert.equal(options.taskTimeoutSeconds, 1.5);
  assert.equal(options.threads, 3);
  assert.equal(options.maxConcurrentTasks, 7);
  assert.equal(options.maxAttempts, 9);
});

test('wrong values are named all at once', () => {
  const environment = { TASK_TIMEOUT: '0', CONSUMER_THREADS: 'many', MAX_ATTEMPTS: '1.5' };
  assert.throws(() => readEnvironment(consumerOptions, environment, consumerOptionPairs), {
    code: 'INVALID_OPTIONS',
    message: /CONSUMER_THREADS is "many".*TASK_TIMEOUT is 0.*MAX_ATTEMPTS is 1\.5/s,
  });
});

test('options that do not go together are named too', () => {
  assert.throws(
    () => resolveOptions(consumerOptions, { threads: 4, maxConcurrentTasks: 3 }, consumerOptionPairs),
    {
      message: /maxConcurrentTasks is 3 with 4 threads/,
    },
  );
  assert.throws(
    () =>
      resolveOptions(consumerOptions, { backoffBaseSeconds: 9, backoffMaxSeconds: 1 }, consumerOptionPairs),
    { message: /backoffMaxSeconds is 1/ },
  );
});

test('a consumer without handlers is refused', () => {
  assert.throws(() => createConsumer({ handlers: {} }), {
    code: 'INVALID_OPTIONS',
    message: /handlers is empty/,
  });
});

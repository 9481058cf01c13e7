import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redisConnection } from './redis-connection.js';

describe('redisConnection', () => {
  const options = redisConnection('sluice-engine', 1500);

  it('never sends a command twice and never queues one while offline', () => {
    assert.equal(options.autoResendUnfulfilledCommands, false);
    assert.equal(options.enableOfflineQueue, false);
    assert.equal(options.maxRetriesPerRequest, 0);
  });

  it('settles every command within the time given', () => {
    assert.equal(options.commandTimeout, 1500);
    assert.equal(options.socketTimeout, 1500);
    assert.equal(options.connectTimeout, 1500);
  });

  it('tries again soon at first, and at least twice a second for ever', () => {
    const delays = [1, 2, 3, 4, 5, 6, 1000, 1e9].map(options.retryStrategy);
    assert.deepEqual(delays, [50, 100, 200, 400, 500, 500, 500, 500]);
  });

  it('looks for the new master when the old one has become a replica', () => {
    assert.equal(
      options.reconnectOnError(new Error("READONLY You can't write against a read only replica.")),
      true,
    );
    assert.equal(options.reconnectOnError(new Error('OOM command not allowed')), false);
  });
});

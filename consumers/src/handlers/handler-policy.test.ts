import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultsOfPolicy } from './handler-policy.js';

test('a policy that can be meant has no faults', () => {
  assert.deepEqual(faultsOfPolicy({}), []);
  assert.deepEqual(faultsOfPolicy({ breaker: false }), []);
  const breaker = { failureRate: 1, minimumFailures: 5, openSeconds: 1, openMaxSeconds: 1, probes: 1 };
  assert.deepEqual(faultsOfPolicy({ breaker, rateLimit: { tasks: 10, perSeconds: 0.5 } }), []);
});

test('all that cannot be meant is named, with what is allowed', () => {
  const faults = faultsOfPolicy({
    breaker: { failureRate: 0, minimumFailures: 1001, openSeconds: 2, openMaxSeconds: 1 },
    rateLimit: { tasks: 0.5, perSeconds: Number.POSITIVE_INFINITY },
  });
  assert.deepEqual(faults, [
    'breaker.failureRate is 0; allowed: a number above 0 and up to 1',
    'breaker.minimumFailures is 1001; allowed: a whole number from 1 to 1000',
    'breaker.openMaxSeconds is 1; allowed: not below openSeconds, which is 2',
    'rateLimit.tasks is 0.5; allowed: a whole number from 1',
    'rateLimit.perSeconds is Infinity; allowed: a number from 0.1 to 86400',
  ]);
});

test('half a rate limit is none', () => {
  // What a JavaScript user may write.
  const rateLimit = { tasks: 10 } as { tasks: number; perSeconds: number };
  assert.match(faultsOfPolicy({ rateLimit }).join(), /rateLimit\.perSeconds is not set/);
});

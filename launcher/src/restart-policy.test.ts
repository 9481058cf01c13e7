import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RestartPolicy } from './restart-policy.js';

describe('RestartPolicy', () => {
  it('waits ever longer while a program keeps dying at its start, and then gives up', () => {
    const policy = new RestartPolicy();
    const waits = Array.from({ length: 8 }, () => policy.afterDeath(0));
    assert.deepEqual(waits, [200, 400, 800, 1600, 3200, 5000, 5000, undefined]);
  });

  it('replaces a program that has served however often it dies, and soon', () => {
    const policy = new RestartPolicy();
    for (let death = 0; death < 100; death++) assert.equal(policy.afterDeath(1000), 200);
  });

  it('forgets the deaths at the start once the program has served', () => {
    const policy = new RestartPolicy();
    for (let death = 0; death < 7; death++) policy.afterDeath(999);
    assert.equal(policy.afterDeath(60_000), 200);
    assert.equal(policy.afterDeath(0), 400);
  });
});

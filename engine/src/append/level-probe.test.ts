import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replicasThere } from './level-probe.js';

const replica = (n: number, state: string, lag: number): string =>
  `slave${n}:ip=127.0.0.1,port=700${n},state=${state},offset=14,lag=${lag}\r\n`;
const INFO = '# Replication\r\nrole:master\r\nconnected_slaves:3\r\n';

test('counts replicas that are connected and were heard of lately', () => {
  assert.equal(replicasThere(INFO), 0);
  assert.equal(replicasThere(`${INFO}${replica(0, 'online', 0)}${replica(1, 'online', 2)}`), 2);
});

test('does not count replicas that are being filled, or silent', () => {
  const others = `${replica(0, 'send_bulk', 0)}${replica(1, 'wait_bgsave', 0)}${replica(2, 'online', 3)}`;
  assert.equal(replicasThere(INFO + others), 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthOf } from '../http/health.js';
import { ClusterHealth } from './cluster-health.js';

const UP = { ready: true, health: healthOf(true, { breaker: 'closed', refused: [] }, '1') };
const DOWN = { ready: false, health: healthOf(false, { breaker: 'open', refused: [] }, '1') };
const SILENT = { ready: false, health: undefined };

test('no process, or one that has said nothing yet, is neither ready nor healthy', () => {
  for (const processes of [[], [SILENT], [UP, SILENT]]) {
    const cluster = new ClusterHealth(new Set(processes), '1');
    assert.equal(cluster.isReady(), false);
    assert.equal(cluster.now().status, 'unhealthy');
  }
});

test('it is ready once every process was, and then as long as one is', () => {
  const [one, other] = [{ ...UP }, { ...DOWN }];
  const processes = new Set([one, other]);
  const cluster = new ClusterHealth(processes, '1');
  assert.equal(cluster.isReady(), false);
  Object.assign(other, UP);
  assert.equal(cluster.isReady(), true);
  Object.assign(one, DOWN);
  assert.equal(cluster.isReady(), true);
  processes.delete(one);
  assert.equal(cluster.isReady(), true);
  Object.assign(other, DOWN);
  assert.equal(cluster.isReady(), false);
  Object.assign(other, UP);
  assert.equal(cluster.isReady(), true);
});

test('Redis is connected, and the cluster healthy, only when every process says so', () => {
  const cluster = new ClusterHealth(new Set([UP, DOWN]), '2.0');
  const { status, redis_connected, version } = cluster.now();
  assert.deepEqual([status, redis_connected, version], ['unhealthy', false, '2.0']);
  assert.deepEqual(cluster.state(), { ready: 1, unready: 1, redisConnected: false, refused: [] });
  assert.equal(new ClusterHealth(new Set([UP, { ...UP }]), '1').now().redis_connected, true);
});

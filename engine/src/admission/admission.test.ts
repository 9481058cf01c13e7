import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from './admission.js';
import type { BacklogGauge } from './backlog-gauge.js';

const gauge = {
  stream: 's',
  appended: 0,
  reserved: 0,
  backlog: 0,
  fullReason: 'drain-time',
  retryAfterSeconds: 1,
} as const;
const roomy: BacklogGauge = { ...gauge, isFull: false, hasRoomFor: () => true };
const full: BacklogGauge = { ...gauge, isFull: true, hasRoomFor: () => false };

function admission(): { admission: Admission; told: (string | undefined)[] } {
  const told: (string | undefined)[] = [];
  const onShedding = (reason: string | undefined): void => void told.push(reason);
  return {
    admission: new Admission({
      maxInFlightRequests: 2,
      maxInFlightBytes: 100,
      maxInFlightTasks: 10,
      onShedding,
    }),
    told,
  };
}

test('lets requests in up to the bound on requests', () => {
  const { admission: door } = admission();
  door.requests = 1;
  assert.equal(door.refusal(true, roomy, 10), undefined);
  door.requests = 2;
  assert.equal(door.refusal(true, roomy, 10), 'OVERLOADED');
});

test('lets bytes in up to the bound on bytes, announced or arrived', () => {
  const { admission: door } = admission();
  door.bytes = 60;
  assert.equal(door.refusal(true, roomy, 40), undefined);
  assert.equal(door.refusal(true, roomy, 41), 'OVERLOADED');
  assert.equal(door.hasRoomFor(40), true);
  assert.equal(door.hasRoomFor(41), false);
});

test('lets all tasks of a batch in up to the bound on tasks, or none', () => {
  const { admission: door, told } = admission();
  door.tasks = 7;
  assert.equal(door.refusalOfBatch(3, roomy), undefined);
  assert.equal(door.refusalOfBatch(4, roomy), 'OVERLOADED');
  assert.equal(door.refusalOfBatch(1, full), 'OVERLOADED');
  assert.deepEqual(told, ['tasks']);
});

test('a schedule that was found full is a reason like the others', () => {
  const { admission: door, told } = admission();
  door.scheduleWasFull();
  door.scheduleWasFull();
  assert.deepEqual(door.shedFor, { schedule: 2 });
  assert.deepEqual(told, ['schedule']);
});

test('names Redis before load: what cannot be stored is not an overload', () => {
  const { admission: door } = admission();
  door.requests = 2;
  assert.equal(door.refusal(false, full, 0), 'REDIS_UNAVAILABLE');
});

test('sheds while the backlog is full, and says once for which reason', () => {
  const { admission: door, told } = admission();
  assert.equal(door.refusal(true, full, 0), 'OVERLOADED');
  assert.equal(door.refusal(true, full, 0), 'OVERLOADED');
  assert.deepEqual(told, ['drain-time']);
});

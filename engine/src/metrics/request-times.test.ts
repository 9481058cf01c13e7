import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countOf } from '@sluice/telemetry';
import { microsNow } from './micros-now.js';
import { RequestTimes, SUCCEEDED, statusClassOf } from './request-times.js';

test('each request is counted once, under its route, its type and the class of its answer', () => {
  const times = new RequestTimes('default', ['mail', 'image']);
  const mail = times.of('mail');
  mail.times.answered(microsNow(), SUCCEEDED);
  mail.times.answered(microsNow(), statusClassOf('422 Unprocessable Content'));
  mail.batchTimes.answered(microsNow(), statusClassOf('503 Service Unavailable'));
  times.of('default').times.answered(microsNow(), SUCCEEDED);
  times.of('image').times.aborted();
  times.other.answered(microsNow(), statusClassOf('404 Not Found'));
  const counted = times.takeChanged().map(({ route, taskType, aborted, durations }) => ({
    route,
    taskType,
    aborted,
    counts: Object.fromEntries(Object.entries(durations).map(([status, row]) => [status, countOf(row)])),
  }));
  assert.deepEqual(counted, [
    { route: 'other', taskType: '', aborted: 0, counts: { '4xx': 1 } },
    { route: '/tasks', taskType: 'default', aborted: 0, counts: { '2xx': 1 } },
    { route: '/tasks/{type}', taskType: 'mail', aborted: 0, counts: { '2xx': 1, '4xx': 1 } },
    { route: '/tasks/{type}/batch', taskType: 'mail', aborted: 0, counts: { '5xx': 1 } },
    { route: '/tasks/{type}', taskType: 'image', aborted: 1, counts: {} },
  ]);
});

test('a route is reported again only when something was counted, and then with all since the start', () => {
  const times = new RequestTimes('default', []);
  const { times: tasks } = times.of('default');
  tasks.answered(microsNow(), SUCCEEDED);
  assert.equal(times.takeChanged().length, 1);
  assert.equal(times.takeChanged().length, 0);
  tasks.answered(microsNow(), SUCCEEDED);
  assert.equal(countOf(times.takeChanged()[0]?.durations['2xx'] ?? new Float64Array(1)), 2);
});

test('a duration is right across the end of the range of the clock', () => {
  const times = new RequestTimes('default', []);
  const start = (microsNow() - 250_000) | 0;
  times.of('default').times.answered(start, SUCCEEDED);
  const row = times.takeChanged()[0]?.durations['2xx'] ?? new Float64Array();
  const seconds = row[row.length - 1] ?? 0;
  assert.ok(seconds >= 0.25 && seconds < 5, String(seconds));
});

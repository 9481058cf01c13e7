import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestTraces, SINGLE_TASK } from '@sluice/telemetry';
import { startSpanReceiver, waitFor } from '@sluice/testbed';

/** More than the ring and all messages under way hold together. */
const REQUESTS = 100_000;

test('what finds no room while the receiver is slow is counted, and told at once and then once a minute', async (t) => {
  const receiver = await startSpanReceiver();
  t.after(() => receiver.close());
  receiver.reception = 'hang';
  const told: { count: number; reasons: object }[] = [];
  const traces = new RequestTraces({
    destination: { protocol: 'otlp', url: `${receiver.url}/v1/traces`, headers: {} },
    source: {
      serviceName: 'orders',
      resource: { 'service.name': 'orders' },
      scope: { name: 'test', version: '1' },
      routes: [{ path: '/tasks', route: '/tasks', taskType: 'default' }],
      errors: [''],
    },
    onDropped: (dropped) => told.push(dropped),
    onError: (error) => assert.fail(String(error)),
  });
  const { recorder, clock } = traces;
  const send = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const at = clock.now();
      recorder.request(recorder.nameOfNone(undefined), undefined, at, at, 0, 202, 0, SINGLE_TASK);
    }
  };
  send(REQUESTS);
  assert.ok(traces.counts.dropped['ring-full'] > 0);
  await waitFor(() => told.length > 0, { timeoutMs: 20_000, what: 'the first report' });
  assert.deepEqual(Object.keys(told[0]?.reasons ?? {}), ['ring-full']);
  const first = told[0]?.count ?? 0;
  // The next report is due in a minute; meanwhile the process stays as quiet as it was, however many more are dropped.
  send(REQUESTS);
  await waitFor(() => receiver.messages > 0, { timeoutMs: 20_000, what: 'the first message' });
  assert.equal(told.length, 1);
  await traces.stop(100);
  const { exported, dropped } = traces.counts;
  assert.equal(exported, 0);
  assert.equal(
    Object.values(dropped).reduce((sum, count) => sum + count, 0),
    2 * REQUESTS,
  );
  assert.equal(told.length, 2);
  assert.equal(first + (told[1]?.count ?? 0), 2 * REQUESTS);
});

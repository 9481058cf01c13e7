import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSpanReceiver } from '@sluice/testbed';
import { pack } from 'msgpackr';
import { entriesOf, exchange, post, redisForFile, runEngine } from './fixture.js';

// What a request says in tracestate goes with its task, into a field of its own.

const redis = redisForFile();
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const STATE = 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE';
const TRACED = { traceparent: TRACEPARENT, tracestate: STATE };
const BODY = '{"data":1}';

for (const trackTasks of [false, true]) {
  for (const isTraced of [false, true]) {
    const how = `${trackTasks ? 'tracked' : 'not tracked'}, ${isTraced ? 'traced' : 'not traced'}`;
    test(`a tracestate goes with its task, whichever way that is stored (${how})`, async (t) => {
      const collector = await startSpanReceiver();
      t.after(() => collector.close());
      const { url, stream } = await runEngine(t, redis.server.url, {
        trackTasks,
        ...(isTraced ? { otlpEndpoint: collector.url } : {}),
      });
      await post(`${url}/tasks`, BODY, 'application/json', TRACED);
      await post(`${url}/tasks`, pack({ data: 1 }), 'application/msgpack', TRACED);
      await post(`${url}/tasks`, BODY, 'application/json', { ...TRACED, 'Idempotency-Key': 'one' });
      const runAt = new Date(0).toISOString(); // due already
      for (const headers of [{}, { 'Idempotency-Key': 'two' }]) {
        const delayed = `{"data":1,"run_at":"${runAt}"}`;
        await post(`${url}/tasks`, delayed, 'application/json', { ...TRACED, ...headers });
      }
      await post(`${url}/tasks/batch`, `[${BODY},${BODY}]`, 'application/json', TRACED);
      const later = await post(`${url}/tasks`, '{"data":1,"delay":60}', 'application/json', TRACED);
      const entries = await entriesOf(redis.client, stream);
      assert.equal(entries.length, 7);
      for (const entry of entries) {
        assert.equal(entry.trace_state, STATE, JSON.stringify(entry));
        assert.equal(entry.trace_context?.slice(3, 35), TRACE);
        assert.equal(entry.tracked, trackTasks ? '86400000' : undefined);
      }
      const waiting = await redis.client.hget(`${stream}:scheduled:tasks`, later.body.task_id ?? '');
      assert.ok(waiting?.includes(STATE));
      await post(`${url}/tasks`, BODY);
      assert.equal('trace_state' in ((await entriesOf(redis.client, stream)).at(-1) ?? {}), false);
    });
  }
}

test('a tracestate that is malformed or too long, or has no traceparent, is dropped, and the trace goes on', async (t) => {
  const { url, stream, port } = await runEngine(t, redis.server.url);
  for (const headers of [
    { tracestate: STATE },
    { traceparent: 'none', tracestate: STATE },
    { traceparent: TRACEPARENT, tracestate: 'A=1' },
    { traceparent: TRACEPARENT, tracestate: `a=${'1'.repeat(256)},b=${'2'.repeat(256)}` },
  ]) {
    const reply = await post(`${url}/tasks`, BODY, 'application/json', headers as Record<string, string>);
    assert.equal(reply.status, 202);
    const entry = (await entriesOf(redis.client, stream)).at(-1);
    assert.equal(entry !== undefined && 'trace_state' in entry, false);
    assert.equal(entry?.trace_context === TRACEPARENT, headers.traceparent === TRACEPARENT);
  }
  const lines = ['POST /tasks HTTP/1.1', 'Host: x', 'Content-Type: application/json', 'Content-Length: 10'];
  const states = [`traceparent: ${TRACEPARENT}`, 'tracestate: a=1', 'tracestate: b=2'];
  await exchange(port, [`${[...lines, ...states].join('\r\n')}\r\n\r\n${BODY}`], /task_id/);
  assert.equal((await entriesOf(redis.client, stream)).at(-1)?.trace_state, 'a=1,b=2');
});

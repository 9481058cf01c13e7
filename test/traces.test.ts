import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ConsumerOptions, createConsumer } from '@sluice/consumers';
import { createEngine, type EngineOptions } from '@sluice/engine';
import type { ConsumerEvent } from '@sluice/telemetry';
import {
  type ReceivedSpan,
  type SpanReceiver,
  startRedis,
  startSpanReceiver,
  waitFor,
} from '@sluice/testbed';

const HANDLERS = { default: new URL('./traced-handler.js', import.meta.url) };

/** Lines of the handler: what it saw of each run. */
function seenBy(journal: string): { taskId: string; attempt: number; span: string; state: string }[] {
  let text = '';
  try {
    text = readFileSync(journal, 'utf8');
  } catch {
    // Nothing has run yet.
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [taskId = '', attempt, span = '', state = ''] = line.split(' ');
      return { taskId, attempt: Number(attempt), span, state };
    });
}

interface System {
  url: string;
  journal: string;
  events: ConsumerEvent[];
  /** Ends both, so that all spans have been delivered. */
  stop(): Promise<void>;
}

async function runSystem(
  t: TestContext,
  options: Pick<EngineOptions & ConsumerOptions, 'otlpEndpoint' | 'jaegerEndpoint'>,
): Promise<System> {
  const redis = await startRedis();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-traces-'));
  const events: ConsumerEvent[] = [];
  const engine = createEngine({
    ...options,
    redisUrl: redis.url,
    host: '127.0.0.1',
    port: 0,
    shutdownDelaySeconds: 0,
  });
  const consumer = createConsumer({
    ...options,
    redisUrl: redis.url,
    handlers: HANDLERS,
    threads: 2,
    backoffBaseSeconds: 0.05,
    listener: (event) => events.push(event),
  });
  const stop = async (): Promise<void> => {
    await engine.stop();
    await consumer.stop();
  };
  t.after(async () => {
    await stop();
    await redis.stop();
    rmSync(folder, { recursive: true });
  });
  const { url } = await engine.start();
  await consumer.start();
  await waitFor(() => engine.ready, { timeoutMs: 20_000, what: 'the engine to be ready' });
  return { url, journal: join(folder, 'journal'), events, stop };
}

async function send(
  url: string,
  body: object,
  more: Record<string, string> = {},
): Promise<{ task_id: string; task_ids: string[] }> {
  const headers = { 'Content-Type': 'application/json', ...more };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(response.status, 202);
  return (await response.json()) as { task_id: string; task_ids: string[] };
}

function idOf({ traceId, spanId }: ReceivedSpan): string {
  return `${traceId}-${spanId}`;
}

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan[] {
  return spans.filter((span) => span.name === name);
}

async function receiver(t: TestContext): Promise<SpanReceiver> {
  const collector = await startSpanReceiver();
  t.after(() => collector.close());
  return collector;
}

for (const protocol of ['otlp', 'jaeger'] as const) {
  test(`one trace runs from the request to the handler: retries, delays and batches too (${protocol})`, async (t) => {
    const collector = await receiver(t);
    const { url } = collector;
    const system = await runSystem(
      t,
      protocol === 'otlp' ? { otlpEndpoint: url } : { jaegerEndpoint: `${url}/api/traces` },
    );
    const data = { journal: system.journal, secret: 'marked-secret' };
    const plain = await send(`${system.url}/tasks`, { data });
    const retried = await send(`${system.url}/tasks`, { data: { ...data, failures: 1 } });
    const delayed = await send(`${system.url}/tasks`, { data, delay: 0.2 });
    const batch = await send(
      `${system.url}/tasks/batch`,
      Array.from({ length: 20 }, () => ({ data })),
    );
    const due = 1 + 2 + 1 + 20;
    const runs = () => seenBy(system.journal);
    await waitFor(() => runs().length === due, { timeoutMs: 20_000, what: 'all runs' });
    await system.stop();
    assert.deepEqual(collector.faults, []);
    assert.deepEqual(
      system.events.filter(({ type }) => type === 'spans-dropped'),
      [],
    );

    const requests = named(collector.spans, 'api_request_span');
    const tasks = named(collector.spans, 'task_processing_span');
    assert.equal(requests.length, 4);
    assert.equal(tasks.length, due);
    const requestOf = (taskId: string): ReceivedSpan =>
      requests.find(({ attributes }) =>
        batch.task_ids.includes(taskId)
          ? attributes['sluice.task_count'] === 20
          : attributes['sluice.task_id'] === taskId,
      ) ?? assert.fail(taskId);
    for (const span of tasks) {
      const taskId = String(span.attributes['sluice.task_id']);
      const request = requestOf(taskId);
      assert.equal(span.kind, 'consumer');
      assert.equal(span.traceId, request.traceId);
      assert.equal(span.parentId, request.spanId);
      assert.ok(span.start >= request.start - 5000 && span.end >= span.start);
    }
    // What is active in a handler is the span of that very run.
    assert.deepEqual(new Set(runs().map(({ span }) => span)), new Set(tasks.map(idOf)));
    assert.ok([plain, delayed].every(({ task_id }) => requestOf(task_id).failed === false));

    const [failed, done] = tasks
      .filter(({ attributes }) => attributes['sluice.task_id'] === retried.task_id)
      .sort((a, b) => a.start - b.start);
    assert.equal(failed?.attributes['sluice.outcome'], 'retry');
    assert.equal(failed?.failed, true);
    assert.deepEqual(failed?.events, [{ name: 'exception', attributes: { 'exception.type': 'RangeError' } }]);
    assert.equal(failed?.attributes['sluice.attempt'], 1);
    assert.equal(done?.attributes['sluice.outcome'], 'done');
    assert.equal(done?.attributes['sluice.attempt'], 2);
    assert.equal(done?.failed, false);
    assert.doesNotMatch(JSON.stringify(collector.spans), /marked-secret/);
  });
}

test('what a request says in tracestate is that of the active span in its handler, each time it runs', async (t) => {
  const collector = await receiver(t);
  const system = await runSystem(t, { otlpEndpoint: collector.url });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const tracestate = 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE';
  const traced = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate };
  const data = { journal: system.journal, failures: 1 };
  const { task_id: first } = await send(`${system.url}/tasks`, { data }, traced);
  const { task_id: second } = await send(`${system.url}/tasks`, { data });
  const runs = () => seenBy(system.journal);
  await waitFor(() => runs().length === 4, { timeoutMs: 20_000, what: 'all runs' });
  for (const { taskId, span, state } of runs()) {
    assert.equal(state, taskId === first ? tracestate : '');
    assert.equal(span.startsWith(traceId), taskId !== second);
  }
});

for (const protocol of ['otlp', 'jaeger'] as const) {
  test(`a receiver that never answers holds no task up, and each span is counted as dropped (${protocol})`, async (t) => {
    const collector = await receiver(t);
    collector.reception = 'hang';
    const { url } = collector;
    const system = await runSystem(
      t,
      protocol === 'otlp' ? { otlpEndpoint: url } : { jaegerEndpoint: `${url}/api/traces` },
    );
    for (let i = 0; i < 20; i++) await send(`${system.url}/tasks`, { data: { journal: system.journal } });
    await waitFor(() => seenBy(system.journal).length === 20, { timeoutMs: 20_000, what: 'all runs' });
    await system.stop();
    const dropped = system.events.flatMap((event) => (event.type === 'spans-dropped' ? [event] : []));
    assert.equal(
      dropped.reduce((sum, { count }) => sum + count, 0),
      20,
      JSON.stringify(dropped),
    );
  });
}

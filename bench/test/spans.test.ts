import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createConsumer } from '@sluice/consumers';
import { createEngine } from '@sluice/engine';
import { startLoad, startRedis, waitFor } from '@sluice/testbed';
import { faultOfSpans } from '#bench/spans/span-balance.js';
import { PROTOCOLS, type SpanProtocol, startCheckingReceiver } from '#bench/spans/span-receiver.js';

const TASKS = 300;
const HANDLERS = { default: new URL('./nothing-handler.js', import.meta.url) };

function breaking(what: string | undefined): object {
  return what === undefined ? {} : { [Symbol.for('sluice.break')]: what };
}

/** Sends some tasks through an engine and a consumer, and tells what the bench would say of their spans. */
async function faultAfterTasks(
  t: TestContext,
  protocol: SpanProtocol,
  broken: { engine?: string; consumer?: string } = {},
): Promise<string | undefined> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const receiver = await startCheckingReceiver(10 * TASKS);
  t.after(() => receiver.stop());
  const { OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint, JAEGER_ENDPOINT: jaegerEndpoint } =
    receiver.environmentFor(protocol);
  const common = {
    redisUrl: redis.url,
    ...(otlpEndpoint === undefined ? {} : { otlpEndpoint }),
    ...(jaegerEndpoint === undefined ? {} : { jaegerEndpoint }),
  };
  const engine = createEngine({
    ...breaking(broken.engine),
    ...common,
    ...{ host: '127.0.0.1', port: 0, shutdownDelaySeconds: 0 },
  });
  const consumer = createConsumer({
    ...breaking(broken.consumer),
    ...common,
    handlers: HANDLERS,
    threads: 2,
  });
  t.after(() => Promise.all([engine.stop(), consumer.stop()]));
  const { url } = await engine.start();
  await consumer.start();
  await waitFor(() => engine.ready, { timeoutMs: 20_000, what: 'the engine to be ready' });
  const load = startLoad({ url, connections: 16, limit: TASKS });
  await load.until(() => true, TASKS);
  const answers = await load.stop();
  const accepted = answers.filter(({ status }) => status === 202).length;
  await waitFor(() => consumer.counters.done === accepted, {
    timeoutMs: 20_000,
    what: 'all tasks to be done',
  });
  await engine.stop();
  await consumer.stop();
  const dropped = Object.values(engine.counters.spansDropped).reduce((sum, count) => sum + count, 0);
  const { batches: writes } = engine.counters;
  return faultOfSpans({
    ...{ answers: answers.length, accepted, writes, dropped },
    received: await receiver.received(),
  });
}

for (const protocol of PROTOCOLS) {
  test(`all spans of all tasks arrive, and each belongs to what it should (${protocol})`, async (t) => {
    assert.equal(await faultAfterTasks(t, protocol), undefined);
  });
}

test('an engine that loses spans and does not say so is found out', async (t) => {
  const fault = await faultAfterTasks(t, 'otlp', { engine: 'loses-spans' });
  assert.match(fault ?? '', /^270 of 300 api_request_span came; .*30 tasks have a parent that is no request/);
});

test('an engine that mixes up the spans of its requests is found out', async (t) => {
  const fault = await faultAfterTasks(t, 'jaeger', { engine: 'mixes-up-spans' });
  assert.match(
    fault ?? '',
    /^30 came twice; 30 tasks have a parent that is no request; 30 links of writes lead to/,
  );
});

test('a consumer that loses spans and does not say so is found out', async (t) => {
  const fault = await faultAfterTasks(t, 'jaeger', { consumer: 'loses-spans' });
  assert.match(fault ?? '', /^2[67]\d of 300 task_processing_span came; (2\d|30) tasks have no span$/);
});

test('a consumer that mixes up the parents of its spans is found out', async (t) => {
  const fault = await faultAfterTasks(t, 'otlp', { consumer: 'mixes-up-spans' });
  assert.match(
    fault ?? '',
    /spans are in another trace than what they belong to; .* request of another task/,
  );
});

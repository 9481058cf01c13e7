import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRIC_GROUPS, PROCESS_METRICS } from '@sluice/telemetry';
import {
  type Family,
  freePort,
  parseExposition,
  sampleValue,
  startProcess,
  startSpanReceiver,
  waitFor,
} from '@sluice/testbed';
import { setUp, soon } from './fixture.js';

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname;
const HANDLER_MODULE = new URL('./handlers/record.js', import.meta.url).pathname;
const OF_DEFAULT = { task_type: 'default' };

test('what is counted of tasks is what the ledger of their group says', async (t) => {
  const queue = await setUp(t);
  const { consumer } = await queue.consume({ threads: 2, maxAttempts: 2, backoffBaseSeconds: 0.01 });
  await queue.appendScripts(20);
  await queue.appendScripts(3, { do: 'throw', until: 1 });
  await queue.appendScripts(2, { do: 'throw' });
  await queue.append('no script', { type: 'unknown' });
  await waitFor(async () => (await queue.deadLetters()).length === 3, {
    timeoutMs: 20_000,
    what: 'dead letters',
  });
  await waitFor(async () => (await queue.ledger()).done === 23, { timeoutMs: 20_000, what: 'the rest' });
  const page = () => parseExposition(consumer.metricsText());
  const outcome = (name: string) =>
    sampleValue(page(), 'sluice_task_outcomes_total', { ...OF_DEFAULT, outcome: name });
  await soon('the last to be counted', () => outcome('done') === 23 && outcome('dead') === 3);
  const ledger = await queue.ledger();
  for (const name of ['done', 'retried', 'dead']) assert.equal(outcome(name), ledger[name], name);
  const runs = (result: string) =>
    sampleValue(page(), 'sluice_task_duration_seconds_count', { ...OF_DEFAULT, result });
  assert.deepEqual([runs('done'), runs('failed')], [23, 3 + 2 * 2]); // what has no handler is never run
  assert.equal(sampleValue(page(), 'sluice_task_wait_seconds_count', OF_DEFAULT), 25);
  assert.equal(sampleValue(page(), 'sluice_consumer_threads'), 2);
  await soon('nothing to run', () => sampleValue(page(), 'sluice_tasks_running', OF_DEFAULT) === 0);
});

test('a thread that dies takes nothing back', async (t) => {
  const queue = await setUp(t);
  const { consumer } = await queue.consume({ threads: 1, maxAttempts: 1 });
  await queue.appendScripts(5);
  const page = (): Map<string, Family> => parseExposition(consumer.metricsText());
  const done = () => sampleValue(page(), 'sluice_task_outcomes_total', { ...OF_DEFAULT, outcome: 'done' });
  await soon('five to be done', () => done() === 5);
  await queue.appendScript({ do: 'exit' });
  await waitFor(
    () => sampleValue(page(), 'sluice_consumer_threads_replaced_total', { reason: 'died' }) === 1,
    {
      timeoutMs: 20_000,
      what: 'its thread to be replaced',
    },
  );
  assert.equal(done(), 5);
  await queue.appendScripts(5);
  await waitFor(() => done() === 10, { timeoutMs: 20_000, what: 'the successor to count on' });
});

test('what is settled in the name of a thread that hung or died is counted like the rest', async (t) => {
  const queue = await setUp(t);
  const { consumer } = await queue.consume({ threads: 1, maxAttempts: 2, taskTimeoutSeconds: 0.3 });
  const page = (): Map<string, Family> => parseExposition(consumer.metricsText());
  const outcome = (name: string) =>
    sampleValue(page(), 'sluice_task_outcomes_total', { ...OF_DEFAULT, outcome: name });
  await queue.appendScript({ do: 'block' });
  await waitFor(async () => (await queue.ledger()).dead === 1, {
    timeoutMs: 40_000,
    what: 'it to hang twice and be given up',
  });
  await soon('both to be counted', () => outcome('retried') === 1 && outcome('dead') === 1);
  assert.equal((await queue.ledger()).retried, 1);
  const { retried, dead } = consumer.counters;
  assert.deepEqual([retried, dead], [1, 1]);
  assert.equal(sampleValue(page(), 'sluice_task_timeouts_total', OF_DEFAULT), 2);
});

test('tasks that are gone when their thread hangs are counted as lost, and said to be', async (t) => {
  const queue = await setUp(t);
  const { consumer, events } = await queue.consume({ threads: 1, taskTimeoutSeconds: 0.3, leaseSeconds: 60 });
  const outcome = (name: string) =>
    sampleValue(parseExposition(consumer.metricsText()), 'sluice_task_outcomes_total', {
      ...OF_DEFAULT,
      outcome: name,
    });
  await queue.appendScript({ do: 'block' });
  await queue.until('start', 1);
  const stream = queue.keys.stream('default');
  const [entry] = await queue.redis.xrange(stream, '-', '+');
  await queue.redis.xdel(stream, entry?.[0] ?? '');
  await soon('it to be counted', () => outcome('lost') === 1);
  assert.equal((await queue.ledger()).lost, 1);
  assert.deepEqual([outcome('retried'), outcome('dead')], [0, 0]);
  assert.ok(events.some((event) => event.type === 'tasks-lost' && event.entryIds[0] === entry?.[0]));
  assert.ok(!events.some(({ type }) => type === 'task-retried' || type === 'task-dead'));
});

test('the program answers on its port for operations: metrics of the catalogue, readiness, health', async (t) => {
  const queue = await setUp(t);
  const receiver = await startSpanReceiver();
  t.after(() => receiver.close());
  const program = startProcess(MAIN, {
    HANDLER_MODULE,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    REDIS_URL: queue.server.url,
    CONSUMER_THREADS: '1',
    SERVICE_HOST: '127.0.0.1',
    METRICS_PORT: String(await freePort()),
  });
  t.after(() => program.signal('SIGKILL'));
  const { opsUrl } = (await program.ready) as { opsUrl: string };
  assert.equal((await fetch(`${opsUrl}/livez`)).status, 200);
  assert.equal((await fetch(`${opsUrl}/readyz`)).status, 200);
  const health = await fetch(`${opsUrl}/health`);
  assert.equal(health.status, 200);
  assert.equal(((await health.json()) as { redis_connected: boolean }).redis_connected, true);
  await queue.appendScripts(5);
  const pageNow = async () => parseExposition(await (await fetch(`${opsUrl}/metrics`)).text());
  await waitFor(
    async () =>
      sampleValue(await pageNow(), 'sluice_task_outcomes_total', { ...OF_DEFAULT, outcome: 'done' }) === 5,
    { timeoutMs: 20_000, what: 'five to be done' },
  );
  const known = new Map(
    METRIC_GROUPS.flatMap(({ metrics }) => Object.values(metrics)).map((metric) => [metric.name, metric]),
  );
  const page = await pageNow();
  for (const [name, { type }] of page) assert.equal(known.get(name)?.type, type, name);
  for (const { name } of Object.values(PROCESS_METRICS)) assert.ok(page.has(name), `${name} is not served`);
  assert.equal(sampleValue(page, 'sluice_spans_dropped_total', { reason: 'unreachable' }), 0);
  await waitFor(async () => sampleValue(await pageNow(), 'sluice_spans_exported_total') === 5, {
    timeoutMs: 20_000,
    what: 'the span of each of the five',
  });
  await queue.server.stop();
  await waitFor(async () => (await fetch(`${opsUrl}/readyz`)).status === 503, {
    timeoutMs: 20_000,
    what: 'readiness to go with Redis',
  });
  assert.equal((await fetch(`${opsUrl}/health`)).status, 503);
  assert.equal((await fetch(`${opsUrl}/livez`)).status, 200);
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newTraceparent } from '@sluice/contract';
import { createEngine } from '@sluice/engine';
import { openSentry, reportEngineErrors } from '@sluice/telemetry';
import {
  freePort,
  parseExposition,
  type SentryEvent,
  type SentryReceiver,
  sampleValue,
  startProcess,
  startRedis,
  startSentryReceiver,
  waitFor,
} from '@sluice/testbed';
import faultySchemas from './faulty-schemas.js';
import { startSystem } from './system.js';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const SCHEMA_MODULE = here('./faulty-schemas.js');
const HANDLER_MODULE = here('./telling-handlers.js');
const WITHIN = { timeoutMs: 60_000 };
const SECRET = 'MARKofthebody';

async function playSentry(t: TestContext): Promise<SentryReceiver> {
  const sentry = await startSentryReceiver();
  t.after(() => sentry.stop());
  return sentry;
}

async function post(url: string, data: unknown, traceparent = newTraceparent()): Promise<number> {
  const headers = { 'Content-Type': 'application/json', traceparent };
  const response = await fetch(url, { method: 'POST', body: JSON.stringify({ data }), headers });
  await response.text();
  return response.status;
}

const errorOf = (event: SentryEvent | undefined) => event?.exception.values[0];
const traceIdOf = (traceparent: string): string | undefined => traceparent.split('-')[1];

test('an engine in a program of one’s own reports a fault of a request, with its trace', async (t) => {
  const [sentry, redis] = await Promise.all([playSentry(t), startRedis()]);
  const options = { sentryDsn: sentry.dsn, sentryEnvironment: 'test' };
  const sink = openSentry(options, { service: 'mine', version: '1' }, () => {});
  assert.ok(sink !== undefined);
  const engine = createEngine({
    ...{ redisUrl: redis.url, host: '127.0.0.1', port: await freePort(), shutdownDelaySeconds: 0 },
    taskTypes: faultySchemas,
    listener: reportEngineErrors(sink),
  });
  t.after(async () => {
    await engine.stop();
    await sink.close(0);
    await redis.stop();
  });
  const { url } = await engine.start();
  await waitFor(() => engine.ready, { ...WITHIN, what: 'the engine' });
  const trace = newTraceparent();
  assert.equal(await post(`${url}/tasks/faulty`, SECRET, trace), 500);
  await waitFor(() => sentry.events.length === 1, { ...WITHIN, what: 'the report' });
  const [event] = sentry.events;
  assert.equal(errorOf(event)?.type, 'TypeError');
  assert.match(errorOf(event)?.stacktrace?.frames.at(-1)?.filename ?? '', /faulty-schemas\.js$/);
  assert.equal(event?.contexts.trace?.trace_id, traceIdOf(trace));
  assert.equal(event?.tags.where, 'intake');
  assert.ok(!sentry.envelopes.join().includes(SECRET));
});

test('the programs report what nobody expects, and not what handlers throw', async (t) => {
  const sentry = await playSentry(t);
  const system = await startSystem(t, {
    env: { SENTRY_DSN: sentry.dsn, SCHEMA_MODULE, HANDLER_MODULE, MAX_ATTEMPTS: '1', WORKER_PROCESSES: '1' },
  });
  const consumer = await system.addConsumer();
  const trace = newTraceparent();
  assert.equal(await post(`${system.url}/tasks/faulty`, SECRET, trace), 500);
  const reported = (service: string, type: string, where: string) =>
    sentry.events.find(
      (event) =>
        event.tags.service === service && event.tags.where === where && errorOf(event)?.type === type,
    );
  await waitFor(() => reported('sluice', 'TypeError', 'intake') !== undefined, {
    ...WITHIN,
    what: 'the fault of a request',
  });
  assert.equal(reported('sluice', 'TypeError', 'intake')?.contexts.trace?.trace_id, traceIdOf(trace));

  for (const how of ['fail', 'die', 'string']) {
    assert.equal(await post(`${system.url}/tasks`, { do: how, secret: SECRET }), 202);
  }
  const crashing = newTraceparent();
  assert.equal(await post(`${system.url}/tasks`, { do: 'crash', secret: SECRET }, crashing), 202);
  await waitFor(() => reported('sluice-consumers', 'ThreadDied', 'task') !== undefined, {
    ...WITHIN,
    what: 'the task that brought down its thread',
  });
  assert.equal(
    reported('sluice-consumers', 'ThreadDied', 'task')?.contexts.trace?.trace_id,
    traceIdOf(crashing),
  );
  assert.ok(reported('sluice-consumers', 'ThreadDied', 'worker thread'));

  // Its process ends; whether the answer is still sent is not the question.
  await post(`${system.url}/tasks/fatal`, SECRET).catch(() => {});
  await waitFor(() => reported('sluice', 'TypeError', 'engine process') !== undefined, {
    ...WITHIN,
    what: 'the end of the process',
  });
  const died = reported('sluice', 'TypeError', 'engine process');
  assert.match(errorOf(died)?.stacktrace?.frames.at(-1)?.filename ?? '', /faulty-schemas\.js$/);

  for (const program of [consumer, system.engine]) program.signal('SIGTERM');
  const ends = await Promise.all([consumer.exited, system.engine.exited]);
  assert.deepEqual(ends, [
    { code: 0, signal: null },
    { code: 0, signal: null },
  ]);
  assert.equal(sentry.events.length, 4);
  assert.deepEqual(sentry.faults, []);
  assert.ok(!sentry.envelopes.join().includes(SECRET));
});

test('errors that Sentry does not take are counted by the engine, over its processes', async (t) => {
  const sentry = await playSentry(t);
  sentry.mood = { status: 500 };
  const system = await startSystem(t, { env: { SENTRY_DSN: sentry.dsn, SCHEMA_MODULE } });
  const { opsUrl } = (await system.engine.ready) as { opsUrl: string };
  const sent = 100;
  for (let i = 0; i < sent; i++) assert.equal(await post(`${system.url}/tasks/faulty`, i), 500);
  await waitFor(
    async () => {
      const page = parseExposition(await (await fetch(`${opsUrl}/metrics`)).text());
      return sampleValue(page, 'sluice_telemetry_dropped_total', { sink: 'sentry' }) === sent;
    },
    { ...WITHIN, what: 'all errors to be counted' },
  );
  const warnings = system.engine.output().match(/"sink":"sentry"/g);
  assert.equal(warnings?.length, 1);
});

test('what a program does not catch is reported before it ends, as it would without', async (t) => {
  const sentry = await playSentry(t);
  const program = startProcess(here('./uncaught-program.js'), {}, [sentry.dsn]);
  t.after(() => program.signal('SIGKILL'));
  assert.deepEqual(await program.exited, { code: 1, signal: null });
  assert.match(program.output(), /RangeError: out of it\n +at /);
  const [event] = sentry.events;
  assert.deepEqual([errorOf(event)?.type, event?.level], ['RangeError', 'fatal']);
});

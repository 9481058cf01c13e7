import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { digestOfApiKey, newApiKey } from '@sluice/contract';
import {
  freePort,
  startLokiReceiver,
  startSentryReceiver,
  startSpanReceiver,
  waitFor,
} from '@sluice/testbed';
import { Redis } from 'ioredis';
import { startSystem } from './system.js';

const HANDLERS = fileURLToPath(new URL('./telling-handlers.js', import.meta.url));
const WITHIN = { timeoutMs: 30_000 };

/** A word that stands nowhere else, for one of the places where something is that nobody else should read. */
const mark = (place: string): string => `MARK${place}${randomBytes(6).toString('hex')}`;

const SECRETS = {
  data: mark('data'),
  metadata: mark('metadata'),
  header: mark('header'),
  apiKey: newApiKey(),
  wrongKey: `wrong-${mark('wrongKey')}`,
  redisPassword: mark('redisPassword'),
  lokiPassword: mark('lokiPassword'),
  brokenBody: mark('brokenBody'),
  undecodable: mark('undecodable'),
  idempotencyKey: mark('idempotencyKey'),
  query: mark('query'),
};

/** What may be read by many after a run in which everything that can fail has failed. */
async function tellingRun(
  t: TestContext,
  protocol: 'otlp' | 'jaeger',
  env: Record<string, string> = {},
): Promise<Record<string, string>> {
  const [loki, spans, sentry] = await Promise.all([
    startLokiReceiver(),
    startSpanReceiver(),
    startSentryReceiver(),
  ]);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-secrets-'));
  t.after(async () => {
    await Promise.all([loki.stop(), spans.close(), sentry.stop()]);
    rmSync(folder, { recursive: true });
  });
  const keys = join(folder, 'keys');
  writeFileSync(keys, `shop * ${digestOfApiKey(SECRETS.apiKey)}\n`);
  const system = await startSystem(t, {
    redis: { persistent: true, config: { requirepass: SECRETS.redisPassword } },
    env: {
      WORKER_PROCESSES: '1',
      HANDLER_MODULE: HANDLERS,
      API_KEYS_FILE: keys,
      LOG_LEVEL: 'DEBUG',
      LOKI_ENDPOINT: loki.url.replace('://', `://ship:${SECRETS.lokiPassword}@`),
      RETRY_BACKOFF_BASE: '0.05',
      BREAKER: 'false',
      SENTRY_DSN: sentry.dsn,
      ...(protocol === 'otlp'
        ? { OTEL_EXPORTER_OTLP_ENDPOINT: spans.url }
        : { JAEGER_ENDPOINT: `${spans.url}/api/traces` }),
      ...env,
    },
  });
  const { opsUrl } = (await system.engine.ready) as { opsUrl: string };
  const consumerPort = await freePort();
  const consumer = await system.addConsumer(undefined, consumerPort);

  const send = async (body: string, key = SECRETS.apiKey, headers = {}): Promise<number> => {
    const response = await fetch(`${system.url}/tasks?${SECRETS.query}=1`, {
      method: 'POST',
      body,
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${key}`,
        Cookie: SECRETS.header,
        'X-Customer': SECRETS.header,
        'Idempotency-Key': `${SECRETS.idempotencyKey}-${randomBytes(4).toString('hex')}`,
        ...headers,
      },
    });
    await response.text();
    return response.status;
  };
  const task = (how: string): string =>
    JSON.stringify({ data: { do: how, secret: SECRETS.data }, metadata: { customer: SECRETS.metadata } });
  for (const how of ['done', 'fail', 'die', 'name', 'parse', 'string', 'crash']) {
    assert.equal(await send(task(how)), 202, how);
  }
  assert.equal(await send(task('done'), SECRETS.wrongKey), 401);
  assert.equal(await send(`{"data": ${SECRETS.brokenBody}}`), 400);
  assert.equal(await send(`{"date": "${SECRETS.brokenBody}"}`), 422);
  assert.equal(await send(SECRETS.brokenBody, SECRETS.apiKey, { 'Content-Type': 'text/plain' }), 415);

  const redis = new Redis(system.redis.url, { protocol: 2 });
  redis.on('error', () => {}); // it is taken away below
  t.after(() => redis.disconnect());
  const payload = `{"data": ${SECRETS.undecodable}`;
  await redis.xadd('tasks:stream', '*', 'task_id', 'x', 'type', 'default', 'payload', payload);
  // Six failures and one that nobody could read; one was done.
  await waitFor(
    async () => (await redis.xlen('tasks:stream')) === 0 && (await redis.xlen('tasks:dlq')) === 7,
    {
      ...WITHIN,
      what: 'all to have failed',
    },
  );

  await system.redis.restart();
  await waitFor(() => /Redis back/.test(system.engine.output() + consumer.output()), {
    ...WITHIN,
    what: 'Redis',
  });
  await waitFor(async () => (await send(task('done'))) === 202, { ...WITHIN, what: 'the next task' });
  let metrics = '';
  for (const url of [opsUrl, `http://127.0.0.1:${consumerPort}`]) {
    metrics += await (await fetch(`${url}/metrics`)).text();
  }

  for (const program of [consumer, system.engine]) program.signal('SIGTERM');
  await Promise.all([consumer.exited, system.engine.exited]);
  assert.deepEqual([...loki.faults, ...spans.faults, ...sentry.faults], []);
  return {
    engine: system.engine.output(),
    consumer: consumer.output(),
    loki: JSON.stringify(loki.lines),
    spans: JSON.stringify(spans.spans, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ),
    sentry: sentry.envelopes.join('\n'),
    metrics,
  };
}

/** Where which secret can be read. */
function found(texts: Record<string, string>): string[] {
  return Object.entries(texts).flatMap(([where, text]) =>
    Object.entries(SECRETS)
      .filter(([, secret]) => text.includes(secret) || text.includes(Buffer.from(secret).toString('base64')))
      .map(([what]) => `${what} in ${where}`),
  );
}

test('no payload, key or password is in logs, metrics, spans or reports to Sentry, whatever fails', async (t) => {
  const texts = await tellingRun(t, 'otlp');
  assert.deepEqual(found(texts), []);

  const { engine = '', consumer = '', loki = '', metrics = '', spans = '', sentry = '' } = texts;
  for (const line of `${engine}${consumer}`.split('\n').filter((one) => one !== '')) {
    const record = JSON.parse(line) as Record<string, unknown>;
    for (const field of ['timestamp', 'level', 'message', 'task_id', 'trace_id']) {
      assert.ok(field in record, `${field} is missing in ${line}`);
    }
    assert.match(String(record.level), /^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$/);
  }
  // It was a run in which there was something to tell.
  for (const said of [
    'task failed, will be retried',
    'task moved to the dead-letter stream',
    'worker thread replaced',
  ]) {
    assert.ok(consumer.includes(said), said);
    assert.ok(loki.includes(said), `${said} in Loki`);
  }
  assert.match(consumer, /"error":"TypeError"/);
  assert.match(spans, /task_processing_span.*TypeError/);
  assert.match(sentry, /"type":"ThreadDied"/);
  assert.match(metrics, /^sluice_task_outcomes_total\{.*outcome="dead".*\} [1-9]/m);
  assert.match(metrics, /^sluice_requests_total\{.*status="4xx".*\} [1-9]/m);
});

test('the scan finds what is told on purpose', async (t) => {
  const where = found(await tellingRun(t, 'jaeger', { LOG_ERROR_MESSAGES: 'true' }));
  assert.deepEqual(where, ['data in consumer', 'data in loki', 'data in sentry']);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { test } from 'node:test';
import { METRIC_GROUPS } from '@sluice/telemetry';
import {
  type Family,
  parseExposition,
  sampleValue,
  startLokiReceiver,
  startRedis,
  waitFor,
} from '@sluice/testbed';
import { childrenOf, exchange, post, redisForFile, runProgram } from './fixture.js';

const redis = redisForFile();
const BODY = '{"data":{"a":1}}';
const TASKS = { route: '/tasks', task_type: 'default' };

async function pageOf(opsUrl: string): Promise<string> {
  const response = await fetch(`${opsUrl}/metrics`);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  return response.text();
}

const metricsOf = async (opsUrl: string): Promise<Map<string, Family>> =>
  parseExposition(await pageOf(opsUrl));

async function until(
  opsUrl: string,
  what: string,
  holds: (page: Map<string, Family>) => boolean,
): Promise<Map<string, Family>> {
  let page = new Map<string, Family>();
  await waitFor(
    async () => {
      page = await metricsOf(opsUrl);
      return holds(page);
    },
    { timeoutMs: 40_000, what },
  );
  return page;
}

/** All samples of counters, and of histograms, which only count too. */
function countersOf(page: Map<string, Family>): Map<string, number> {
  const counters = [...page].filter(([, { type }]) => type === 'counter' || type === 'histogram');
  return new Map(
    counters.flatMap(([, { samples }]) =>
      samples.map(({ name, labels, value }) => [`${name} ${JSON.stringify(labels)}`, value] as const),
    ),
  );
}

function assertNothingWentBack(before: Map<string, Family>, after: Map<string, Family>): void {
  const now = countersOf(after);
  for (const [sample, value] of countersOf(before)) {
    assert.ok((now.get(sample) ?? -1) >= value, `${sample} was ${value}, is ${now.get(sample)}`);
  }
}

test('each request is counted once, by route and class of its answer, over both processes', async (t) => {
  const { url, opsUrl, stream } = await runProgram(t, redis.server.url);
  const connection = (i: number) => ({ Connection: 'close', 'X-Connection': String(i) });
  for (let i = 0; i < 40; i++) await post(`${url}/tasks`, BODY, 'application/json', connection(i));
  for (let i = 0; i < 5; i++) await post(`${url}/tasks`, '{"dat":1}');
  await post(`${url}/tasks`, '{', 'application/json');
  await post(`${url}/tasks`, BODY, 'text/plain');
  await post(`${url}/tasks/batch`, `[${BODY},${BODY},{"nothing":1}]`);
  await post(`${url}/tasks/batch`, '[{"nothing":1}]');
  const page = await until(opsUrl, 'all requests to be counted', (one) => {
    const answered = one.get('sluice_requests_total')?.samples ?? [];
    return answered.reduce((sum, { value }) => sum + value, 0) >= 49;
  });
  const count = (name: string, labels = {}) => sampleValue(page, name, labels);
  assert.equal(count('sluice_requests_total', { ...TASKS, status: '2xx' }), 40);
  assert.equal(count('sluice_requests_total', { ...TASKS, status: '4xx' }), 7);
  assert.equal(count('sluice_requests_total', { ...TASKS, status: '5xx' }), 0);
  const batch = { ...TASKS, route: '/tasks/batch' };
  assert.equal(count('sluice_requests_total', { ...batch, status: '2xx' }), 1);
  assert.equal(count('sluice_requests_total', { ...batch, status: '4xx' }), 1);
  assert.equal(count('sluice_request_duration_seconds_count', { ...TASKS, status: '2xx' }), 40);
  assert.equal(count('sluice_tasks_accepted_total'), 42);
  assert.equal(count('sluice_refusals_total', { code: 'VALIDATION_ERROR' }), 7);
  assert.equal(await redis.client.xlen(stream), 42);
  await until(
    opsUrl,
    'the backlog to be looked at',
    (one) => sampleValue(one, 'sluice_backlog_tasks') === 42,
  );
});

test('what a client says never becomes a label', async (t) => {
  const { url, opsUrl } = await runProgram(t, redis.server.url);
  for (let i = 0; i < 20; i++) {
    await fetch(`${url}/path-${i}"\\n{}`);
    await post(`${url}/tasks/type-${i}`, BODY);
    await fetch(`${url}/tasks`, { method: 'PUT', body: BODY });
  }
  await exchange(Number(new URL(url).port), [
    'POST /tasks HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}',
  ]);
  const other = { route: 'other', task_type: '', status: '4xx' };
  const page = await until(opsUrl, 'all to be counted', (one) => {
    const faults = sampleValue(one, 'sluice_requests_total', { ...TASKS, status: '4xx' });
    return (sampleValue(one, 'sluice_requests_total', other) ?? 0) >= 60 && faults !== undefined;
  });
  assert.equal(sampleValue(page, 'sluice_requests_total', other), 60);
  assert.equal(sampleValue(page, 'sluice_requests_total', { ...TASKS, status: '4xx' }), 1);
  const routes = new Set(page.get('sluice_requests_total')?.samples.map(({ labels }) => labels.route));
  assert.deepEqual([...routes].sort(), ['/tasks', 'other']);
});

test('a client that goes away is counted as that, and not as answered', async (t) => {
  const { url, opsUrl } = await runProgram(t, redis.server.url);
  const head =
    'POST /tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n';
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(`${head}{"data`);
  await until(opsUrl, 'it to be held', (page) => sampleValue(page, 'sluice_in_flight_requests') === 1);
  socket.destroy();
  const page = await until(
    opsUrl,
    'it to be gone',
    (one) => sampleValue(one, 'sluice_in_flight_requests') === 0,
  );
  assert.equal(sampleValue(page, 'sluice_requests_total', { ...TASKS, status: 'aborted' }), 1);
  assert.equal(sampleValue(page, 'sluice_requests_total', { ...TASKS, status: '2xx' }), 0);
});

test('an engine process that is killed takes nothing back, and its successor adds to it', async (t) => {
  const program = await runProgram(t, redis.server.url);
  const { url, opsUrl, pid, stream } = program;
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) {
      await post(`${url}/tasks`, BODY, 'application/json', { Connection: 'close' });
    }
  };
  const accepted = (page: Map<string, Family>) => sampleValue(page, 'sluice_tasks_accepted_total');
  await send(60);
  const before = await until(opsUrl, '60 tasks', (page) => accepted(page) === 60);
  const [victim] = childrenOf(pid);
  assert.ok(victim !== undefined);
  process.kill(victim, 'SIGKILL');
  const without = await until(
    opsUrl,
    'a death',
    (page) => sampleValue(page, 'sluice_engine_process_deaths_total') === 1,
  );
  assertNothingWentBack(before, without);
  await until(
    opsUrl,
    'a successor',
    (page) => sampleValue(page, 'sluice_engine_processes', { state: 'ready' }) === 2,
  );
  await send(60);
  const after = await until(opsUrl, '120 tasks', (page) => accepted(page) === 120);
  assertNothingWentBack(without, after);
  assert.equal(sampleValue(after, 'sluice_requests_total', { ...TASKS, status: '2xx' }), 120);
  assert.equal(await redis.client.xlen(stream), 120);
});

test('the figures of the queue are those of Redis: groups, retries, schedule, breaker, ledger, dead letters', async (t) => {
  const { url, opsUrl, stream } = await runProgram(t, redis.server.url);
  for (let i = 0; i < 10; i++) await post(`${url}/tasks`, BODY);
  await post(`${url}/tasks`, '{"data":1,"delay":600}');
  const { client } = redis;
  const group = 'a "group"';
  await client.xgroup('CREATE', stream, group, '0');
  await client.xreadgroup('GROUP', group, 'one', 'COUNT', 4, 'STREAMS', stream, '>');
  const [first] = (await client.xrange(stream, '-', '+', 'COUNT', 1)).map(([id]) => id);
  await client.xclaim(stream, group, '~parked', 0, first ?? '', 'JUSTID'); // no consumer, though Redis counts it
  await client.zadd(`${stream}:retries:${group}`, 1, 'x', 2, 'y');
  await client.hset(`${stream}:breaker:${group}`, 'state', 'open');
  await client.hset(`${stream}:ledger:${group}`, {
    done: 5,
    lost: 2,
    retried: 7,
    'no outcome"': 1,
    odd: 'x',
  });
  await client.xadd(stream.replace(':stream', ':dlq'), '*', 'a', 'b');
  const labels = { stream, group };
  const page = await until(
    opsUrl,
    'the queue to be looked at',
    (one) => sampleValue(one, 'sluice_ledger_tasks_total', { ...labels, outcome: 'done' }) === 5,
  );
  const figures = {
    sluice_backlog_tasks: 10,
    sluice_group_lag_tasks: 6,
    sluice_group_pending_tasks: 4,
    sluice_group_consumers: 1,
    sluice_retries_waiting_tasks: 2,
    sluice_scheduled_tasks: 1,
    sluice_dead_letters: 1,
    sluice_breaker_state: 2,
    sluice_lost_tasks: 2,
    sluice_redis_connected: 1,
    sluice_stream_entries_added_total: 10,
  };
  for (const [name, value] of Object.entries(figures)) assert.equal(sampleValue(page, name), value, name);
  const outcomes = page.get('sluice_ledger_tasks_total')?.samples.map((one) => one.labels.outcome);
  assert.deepEqual(outcomes?.sort(), ['dead', 'done', 'retried']);
  assert.ok((sampleValue(page, 'sluice_time_to_drain_seconds') ?? 0) >= 1);
});

test('a stream that Redis refuses is told apart from one that it takes, as long as it refuses it', async (t) => {
  const { url, opsUrl, stream } = await runProgram(t, redis.server.url, {
    WORKER_PROCESSES: '1',
    APPEND_BREAKER_REFUSALS: '2',
    SCHEMA_MODULE: new URL('../../../examples/webhooks/dist/schemas.js', import.meta.url).pathname,
  });
  const typed = `${stream}:github.push`;
  const state = (page: Map<string, Family>, of: string) =>
    sampleValue(page, 'sluice_append_breaker_state', { stream: of });
  const opened = (page: Map<string, Family>) => sampleValue(page, 'sluice_append_breaker_opened_total');
  const before = await until(opsUrl, 'a first report', (page) => opened(page) === 0);
  assert.deepEqual([state(before, stream), state(before, typed)], [0, 0]);
  await redis.client.set(stream, 'no stream');
  for (let i = 0; i < 2; i++) assert.equal((await post(`${url}/tasks`, BODY)).status, 503);
  const open = await until(opsUrl, 'it to be open', (page) => state(page, stream) === 2);
  assert.deepEqual([state(open, typed), opened(open)], [0, 1]);
  await redis.client.del(stream);
  await waitFor(async () => (await post(`${url}/tasks`, BODY)).status === 202, {
    timeoutMs: 20_000,
    what: 'a probe to be taken',
  });
  const after = await until(opsUrl, 'it to be closed', (page) => state(page, stream) === 0);
  assert.equal(opened(after), 1);
});

test('without Redis the figures are still answered at once, and say how old they are', async (t) => {
  const own = await startRedis();
  t.after(() => own.stop());
  const { opsUrl } = await runProgram(t, own.url);
  await until(opsUrl, 'a first look', (page) => sampleValue(page, 'sluice_backlog_tasks') === 0);
  await own.stop();
  const page = await until(opsUrl, 'old figures', (one) => {
    return (sampleValue(one, 'sluice_queue_figures_age_seconds') ?? 0) > 2;
  });
  assert.equal(sampleValue(page, 'sluice_redis_connected'), 0);
  assert.equal(sampleValue(page, 'sluice_backlog_tasks'), 0);
});

test('lines of the log that Loki refuses are counted', async (t) => {
  const loki = await startLokiReceiver();
  t.after(() => loki.stop());
  loki.mood = 400;
  const { opsUrl } = await runProgram(t, redis.server.url, { LOKI_ENDPOINT: loki.url });
  await until(opsUrl, 'the line that says where it listens to be refused', (page) => {
    const refused = sampleValue(page, 'sluice_telemetry_dropped_total', { sink: 'loki' }) ?? 0;
    return refused > 0;
  });
  assert.equal(loki.lines.length, 0);
});

test('every metric that is served is in the catalogue, with its type, and promtool finds no fault', async (t) => {
  const { url, opsUrl } = await runProgram(t, redis.server.url);
  await post(`${url}/tasks`, BODY);
  await until(opsUrl, 'a first look', (page) => sampleValue(page, 'sluice_backlog_tasks') === 1);
  const text = await pageOf(opsUrl);
  const known = new Map(
    METRIC_GROUPS.flatMap(({ metrics }) => Object.values(metrics)).map((metric) => [metric.name, metric]),
  );
  for (const [name, { type, samples }] of parseExposition(text)) {
    const metric = known.get(name);
    assert.equal(metric?.type, type, name);
    for (const { labels } of samples) {
      const { le: _, ...own } = labels;
      assert.deepEqual(Object.keys(own).sort(), [...(metric?.labels ?? [])].sort(), name);
    }
  }
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (checked.error !== undefined) t.diagnostic('skipped promtool: it is not installed (Debian: prometheus)');
  else assert.deepEqual([checked.status, checked.stderr], [0, '']);
});

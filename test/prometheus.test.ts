import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freePort, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { startSystem } from './system.js';

const TASKS = 500;
const WITHIN = { timeoutMs: 30_000 };

const installed = spawnSync('prometheus', ['--version']).error === undefined;
const needsPrometheus = installed ? {} : { skip: 'prometheus is not installed (Debian: prometheus)' };

/** A real Prometheus that scrapes the operations port of an engine once a second; returns where it answers. */
async function startPrometheus(t: TestContext, target: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-prometheus-'));
  const port = await freePort();
  const config = `scrape_configs: [{job_name: sluice-engine, scrape_interval: 1s, static_configs: [{targets: ['${target}']}]}]`;
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child: ChildProcess = spawn('prometheus', args, { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, { ...WITHIN, what: 'Prometheus' });
  return url;
}

/** The one value a query comes to. */
async function query(prometheus: string, promql: string): Promise<number> {
  const answer = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(promql)}`);
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
  return Number(data.result[0]?.value[1]);
}

test('a real Prometheus counts what the ledger counts', needsPrometheus, async (t) => {
  const system = await startSystem(t, { env: { STREAM_RETENTION: '3600' } });
  const { opsUrl } = (await system.engine.ready) as { opsUrl: string };
  await system.addConsumer();
  const prometheus = await startPrometheus(t, new URL(opsUrl).host);
  const answers = Array.from({ length: TASKS }, async () => {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(`${system.url}/tasks`, { method: 'POST', body: '{"data":{}}', headers });
    await response.text();
    return response.status;
  });
  const statuses = await Promise.all(answers);
  assert.equal(statuses.filter((status) => status === 202).length, TASKS);

  const redis = new Redis(system.redis.url, { protocol: 2 });
  t.after(() => redis.disconnect());
  const ledger = async (): Promise<number> =>
    Number(await redis.hget('tasks:stream:ledger:processors', 'done')) + (await redis.xlen('tasks:dlq'));
  await waitFor(async () => (await ledger()) === TASKS, { ...WITHIN, what: 'all to be settled' });

  const settled = 'sum(sluice_ledger_tasks_total{stream="tasks:stream",outcome=~"done|dead"})';
  for (const [promql, count] of [
    ['sum(sluice_tasks_accepted_total)', TASKS],
    ['sum(sluice_tasks_appended_total)', TASKS],
    ['sum(sluice_requests_total{route="/tasks",status="2xx"})', TASKS],
    ['sum(sluice_request_duration_seconds_count{route="/tasks",status="2xx"})', TASKS],
    [settled, TASKS],
    ['max(sluice_lost_tasks)', 0],
    ['max(sluice_backlog_tasks{stream="tasks:stream"})', 0],
    ['up{job="sluice-engine"}', 1],
  ] as const) {
    let seen = Number.NaN;
    await waitFor(
      async () => {
        seen = await query(prometheus, promql);
        return seen === count;
      },
      { ...WITHIN, what: `${promql} to be ${count}` },
    ).catch((error: unknown) => {
      throw new Error(`${promql} is ${seen}`, { cause: error });
    });
  }
  // For whoever wants to look at it: the page stays for so long.
  const keepMs = Number(process.env.KEEP_PROMETHEUS_MS ?? 0);
  if (keepMs > 0) {
    console.log(prometheus);
    await new Promise((resolve) => setTimeout(resolve, keepMs));
  }
});

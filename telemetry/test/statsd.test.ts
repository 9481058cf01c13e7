import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openStatsd, STATSD_NAMES, type StatsdFigures, type StatsdSink } from '@sluice/telemetry';
import { freePort, waitFor } from '@sluice/testbed';

const STATSD = createRequire(import.meta.url).resolve('statsd/stats.js');
/** 20 of 0.15 ms and 1 of 4 ms. */
const DURATIONS = Float64Array.from({ length: 22 }, (_, i) => (i === 1 ? 20 : i === 9 ? 1 : 0));
const PER_TASK = { avg: 5, max: 9, min: 1 };
const FIGURES: StatsdFigures = {
  requests: { count: 21, errors: 7, durations: DURATIONS },
  tasks: [Float64Array.from({ length: 21 }, (_, i) => (i === 3 ? 4 : 0))],
  queueSize: 12,
  breakersOpen: 2,
  memoryBytes: 1000,
  cpuSeconds: 1,
  resources: [{ taskType: 'a', tasks: 2, memory: PER_TASK, gpu: PER_TASK, cpuSeconds: 1 }],
};

/** The real daemon, which forgets nothing for a minute. */
async function startDaemon(
  t: TestContext,
): Promise<{ port: number; ask: (what: string) => Promise<string> }> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-statsd-'));
  const [port, mgmt] = [await freePort(), await freePort()];
  const config = join(folder, 'config.js');
  const address = '127.0.0.1';
  await writeFile(
    config,
    `{ port: ${port}, address: '${address}', mgmt_port: ${mgmt}, mgmt_address: '${address}', flushInterval: 60000, backends: [] }`,
  );
  const daemon = spawn(process.execPath, [STATSD, config], { stdio: 'ignore' });
  t.after(async () => {
    daemon.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  const ask = (what: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(mgmt, address);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
        if (/END|health/.test(text)) socket.end();
      });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
      socket.write(`${what}\n`);
    });
  await waitFor(
    () =>
      ask('health').then(
        () => true,
        () => false,
      ),
    { timeoutMs: 20_000, what: 'statsd' },
  );
  return { port, ask };
}

test('the daemon receives every name, and counts as many as there were', async (t) => {
  const { port, ask } = await startDaemon(t);
  const options = { statsdHost: '127.0.0.1', statsdPort: port, statsdPrefix: 'microservice' };
  const sink = openStatsd(
    options,
    () => FIGURES,
    () => {},
  );
  t.after(() => sink?.close());
  let all = '';
  await waitFor(
    async () => {
      all = (await Promise.all(['counters', 'gauges', 'timers'].map(ask))).join('\n');
      return Object.keys(STATSD_NAMES).every((name) => all.includes(`microservice.${name}`));
    },
    { timeoutMs: 20_000, what: 'every name' },
  );
  assert.match(all, /'microservice\.request_count': 21\b/);
  assert.match(all, /'microservice\.task_queue_size': 12\b/);
  assert.match(all, /'microservice\.error_rate': 0\.333/);
  assert.match(all, /'microservice\.append_breakers_open': 2\b/);
  assert.doesNotMatch(all, /bad_lines_seen': [1-9]/);
});

/** A sink, with what it tells of packets that are lost. */
function sinkTo(
  t: TestContext,
  statsdHost: string,
  statsdPort: number,
): { sink: StatsdSink; told: string[] } {
  const told: string[] = [];
  const options = { statsdHost, statsdPort, statsdPrefix: 'x' };
  const sink = openStatsd(
    options,
    () => FIGURES,
    (dropped, error) => told.push(`${dropped}: ${error.message}`),
  );
  assert.ok(sink !== undefined);
  t.after(() => sink.close());
  return { sink, told };
}

for (const [where, host, said] of [
  ['whose name stands for nothing', 'does-not-exist.invalid', /ENOTFOUND|EAI_AGAIN/],
  ['that does not listen', '127.0.0.1', /ECONNREFUSED/],
] as const) {
  test(`packets to a daemon ${where} are counted, with one warning`, async (t) => {
    const { sink, told } = sinkTo(t, host, await freePort());
    await waitFor(() => sink.dropped > 3, { timeoutMs: 30_000, what: 'lost packets to be counted' });
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', said);
  });
}

test('a daemon that listens later gets its figures from then on', async (t) => {
  const port = await freePort();
  const { sink } = sinkTo(t, '127.0.0.1', port);
  await waitFor(() => sink.dropped > 0, { timeoutMs: 20_000, what: 'a lost packet' });
  const daemon = createSocket('udp4').bind(port, '127.0.0.1');
  t.after(() => daemon.close());
  const [packet] = (await once(daemon, 'message')) as [Buffer];
  assert.match(packet.toString(), /^x\.request_count:\d+\|c\n/);
});

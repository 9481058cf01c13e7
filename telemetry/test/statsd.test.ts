import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openStatsd, STATSD_NAMES, type StatsdFigures } from '@sluice/telemetry';
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

test('a daemon that is not there costs nothing but a counter', async (t) => {
  const told: number[] = [];
  const options = { statsdHost: 'does-not-exist.invalid', statsdPort: 8125, statsdPrefix: 'x' };
  const sink = openStatsd(
    options,
    () => FIGURES,
    (dropped) => told.push(dropped),
  );
  t.after(() => sink?.close());
  await waitFor(() => (sink?.dropped ?? 0) > 1, { timeoutMs: 20_000, what: 'failures to be counted' });
  assert.equal(told.length, 1);
});

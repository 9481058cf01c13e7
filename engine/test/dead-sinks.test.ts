import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess, startRedis } from '@sluice/testbed';

const ENGINE = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const TASKS = 200;

/** Takes connections and whatever comes over them, and never answers. */
async function hanging(t: TestContext): Promise<number> {
  const server = createServer((socket) => socket.resume().on('error', () => {}));
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // it is no pipe
}

const SINKS = [
  ['hang', hanging],
  ['refuse', () => freePort()],
] as const;

for (const [what, portOf] of SINKS) {
  test(`when the receivers of spans and log lines ${what}, tasks come in, and a shutdown is in time`, async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const sink = `http://127.0.0.1:${await portOf(t)}`;
    const engine = startProcess(ENGINE, {
      REDIS_URL: redis.url,
      SERVICE_HOST: '127.0.0.1',
      SERVICE_PORT: String(await freePort()),
      METRICS_PORT: String(await freePort()),
      WORKER_PROCESSES: '1',
      SHUTDOWN_DELAY: '0',
      SHUTDOWN_TIMEOUT: '10', // what is waited for the sinks is a part of it, and the machine may stand still
      OTEL_EXPORTER_OTLP_ENDPOINT: sink,
      LOKI_ENDPOINT: sink,
    });
    t.after(() => engine.signal('SIGKILL'));
    const { url } = (await engine.ready) as { url: string };
    const statuses = new Set<number>();
    for (let sent = 0; sent < TASKS; sent++) {
      const response = await fetch(`${url}/tasks`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"data":1}',
      });
      await response.text();
      if (response.status !== 503) statuses.add(response.status); // until it has found Redis
    }
    assert.deepEqual([...statuses], [202]);
    engine.signal('SIGTERM');
    const { code } = await engine.exited;
    assert.equal(code, 0, engine.output());
  });
}

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Log, openLog } from '@sluice/telemetry';
import { type LokiMood, type LokiReceiver, startLokiReceiver, startTcpProxy, waitFor } from '@sluice/testbed';

const WITHIN = { timeoutMs: 20_000 };

/** A log with Loki, and what it wrote to standard output. */
async function logWithLoki(
  t: TestContext,
  mood: LokiMood = 'takes',
): Promise<{ log: Log; loki: LokiReceiver; output: string[]; time: { now: number } }> {
  const loki = await startLokiReceiver();
  loki.mood = mood;
  const output: string[] = [];
  const time = { now: 0 };
  const log = openLog(
    'intake',
    { logLevel: 'DEBUG', lokiEndpoint: loki.url },
    { write: (line) => output.push(line) },
    () => time.now,
  );
  t.after(async () => {
    await log.close();
    await loki.stop();
  });
  return { log, loki, output, time };
}

const warnings = (output: readonly string[]): { dropped: number; reason: string }[] =>
  output.map((line) => JSON.parse(line)).filter(({ message }) => message === 'Loki does not take the log');

test('every line gets to Loki as it stands on standard output, labelled by service and level', async (t) => {
  const { log, loki, output } = await logWithLoki(t);
  for (let i = 0; i < 500; i++) log.logger.info({ i, task_id: `t${i}` }, 'line');
  log.logger.error('bad');
  log.logger.fatal('worst');
  await waitFor(() => loki.lines.length === 502, { ...WITHIN, what: 'all lines' });
  const inOrder = [...loki.lines].sort((a, b) => (a.time < b.time ? -1 : 1)).map(({ line }) => `${line}\n`);
  assert.deepEqual(inOrder, output, 'in the order they were written in');
  for (const { line, labels, time } of loki.lines) {
    const { level, service, timestamp } = JSON.parse(line);
    assert.deepEqual([labels.level, labels.service_name], [level, service]);
    assert.deepEqual(Object.keys(labels).sort(), ['instance', 'level', 'service_name']);
    assert.equal(time.slice(0, 13), String(Date.parse(timestamp)));
  }
  await waitFor(() => log.loki?.shipped === 502, { ...WITHIN, what: 'the count' });
  assert.deepEqual(log.loki, { shipped: 502, dropped: 0, waiting: 0 });
  assert.deepEqual(loki.faults, []);
  assert.ok(loki.pushes.length < 10, `${loki.pushes.length} pushes for 502 lines`);
});

test('lines that wait while Loki is away are shipped when it is back', async (t) => {
  const { log, loki, output } = await logWithLoki(t, 503);
  log.logger.info('first');
  await waitFor(() => loki.pushes.length > 0, { ...WITHIN, what: 'a refused push' });
  log.logger.info('second');
  loki.mood = 'takes';
  await waitFor(() => loki.lines.length === 2, { ...WITHIN, what: 'both lines' });
  assert.equal(log.loki?.dropped, 0);
  assert.deepEqual(
    warnings(output).map(({ reason }) => reason),
    ['HTTP 503'],
  );
});

test('lines that Loki refuses for good are dropped and counted, and hold nothing up', async (t) => {
  const { log, loki } = await logWithLoki(t, 400);
  log.logger.info('too old');
  await waitFor(() => log.loki?.dropped === 1, { ...WITHIN, what: 'the refused line to be counted' });
  loki.mood = 'takes';
  log.logger.info('newer');
  await waitFor(() => loki.lines.length === 1, { ...WITHIN, what: 'the next line' });
  await waitFor(() => log.loki?.waiting === 0, { ...WITHIN, what: 'it to be counted' });
});

for (const mood of ['hangs', 500, 'gone'] as const) {
  test(`with a Loki that ${typeof mood === 'number' ? `answers ${mood}` : mood}, lines are bounded and counted, with one warning a minute`, async (t) => {
    const { log, loki, output, time } = await logWithLoki(t, mood === 'gone' ? 'takes' : mood);
    if (mood === 'gone') await loki.stop();
    const lines = 30_000;
    for (let i = 0; i < lines; i++) {
      log.logger.info('x'.repeat(100));
      if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(log.loki?.waiting, 10_000);
    assert.equal(log.loki?.dropped, lines - 10_000);
    assert.equal(warnings(output).length, 1);
    time.now += 60_001;
    log.logger.info('one more');
    assert.equal(warnings(output).length, 2);
    assert.ok(Number(warnings(output)[1]?.dropped) > 19_000);
    const begun = performance.now();
    await log.close();
    assert.ok(performance.now() - begun < 10_000, 'closing waits two seconds for Loki, and not for ever');
    assert.deepEqual([log.loki?.waiting, log.loki?.dropped], [0, lines + 1]);
    assert.match(output.at(-1) ?? '', /Loki did not take the last lines/);
  });
}

test('long lines are bounded by their bytes', async (t) => {
  const { log } = await logWithLoki(t, 'hangs');
  for (let i = 0; i < 100; i++) log.logger.info('x'.repeat(200_000));
  assert.ok((log.loki?.waiting ?? 0) <= 42, `${log.loki?.waiting} lines of 200 kB wait`);
  assert.ok((log.loki?.dropped ?? 0) >= 58);
});

test('closing ships what has just been written', async (t) => {
  const { log, loki } = await logWithLoki(t);
  for (let i = 0; i < 2500; i++) log.logger.info({ i }, 'last');
  await log.close();
  assert.equal(loki.lines.length, 2500);
  assert.deepEqual(log.loki, { shipped: 2500, dropped: 0, waiting: 0 });
  log.logger.info('after the end');
  assert.equal(log.loki?.dropped, 1, 'a line after the end is counted');
});

test('a line is shipped once though the connection breaks between pushes', async (t) => {
  const loki = await startLokiReceiver();
  const proxy = await startTcpProxy(Number(new URL(loki.url).port));
  const log = openLog(
    'intake',
    { logLevel: 'INFO', lokiEndpoint: `http://ship:p%40ss@127.0.0.1:${proxy.port}` },
    { write: () => true },
  );
  t.after(async () => {
    await log.close();
    await proxy.close();
    await loki.stop();
  });
  log.logger.info('one');
  // Cut before its answer is through, the first would rightly be pushed again.
  await waitFor(() => log.loki?.shipped === 1, { ...WITHIN, what: 'the first line' });
  proxy.cut();
  log.logger.info('two');
  await waitFor(() => loki.lines.length === 2, { ...WITHIN, what: 'the second line' });
  assert.equal(loki.pushes[0]?.headers.authorization, `Basic ${Buffer.from('ship:p@ss').toString('base64')}`);
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ERRORS_PER_MINUTE, openSentry, type SentrySink, unexpectedError } from '@sluice/telemetry';
import { type SentryReceiver, startSentryReceiver, waitFor } from '@sluice/testbed';

const WITHIN = { timeoutMs: 60_000 };
const TRACE = { trace_id: '0af7651916cd43dd8448eb211c80319c', span_id: 'b7ad6b7169203331' };
const TRACE_CONTEXT = `00-${TRACE.trace_id}-${TRACE.span_id}-01`;

interface Played {
  sentry: SentryReceiver;
  sink: SentrySink;
  /** Warnings. */
  told: string[];
}

async function play(t: TestContext): Promise<Played> {
  const sentry = await startSentryReceiver();
  const told: string[] = [];
  const options = { sentryDsn: sentry.dsn, sentryEnvironment: 'test' };
  const sink = openSentry(options, { service: 'intake', version: '1.2.3' }, (dropped, error) =>
    told.push(`${dropped}: ${error.message}`),
  );
  assert.ok(sink !== undefined);
  t.after(async () => {
    await sink.close(0);
    await sentry.stop();
  });
  return { sentry, sink, told };
}

const fault = (message = 'quotes anna@example.org') =>
  unexpectedError('intake', new TypeError(message), 'names');

test('an error is sent with where it was thrown and with its trace, and without what it quotes', async (t) => {
  const { sentry, sink, told } = await play(t);
  sink.report({ ...fault(), traceContext: TRACE_CONTEXT, taskId: 'a-task' });
  await waitFor(() => sink.sent === 1, { ...WITHIN, what: 'the error to be sent' });
  const [event] = sentry.events;
  assert.ok(event !== undefined);
  const [exception] = event.exception.values;
  assert.equal(exception?.type, 'TypeError');
  assert.match(exception?.stacktrace?.frames.at(-1)?.filename ?? '', /sentry\.test\.js$/);
  assert.deepEqual(event.contexts.trace, TRACE);
  assert.deepEqual(event.contexts.task, { task_id: 'a-task' });
  assert.deepEqual([event.level, event.environment, event.release], ['error', 'test', '1.2.3']);
  assert.deepEqual(event.tags, { service: 'intake', where: 'intake' });
  assert.doesNotMatch(sentry.envelopes.join(''), /anna/);
  assert.deepEqual([sentry.faults, told], [[], []]);
});

test('no more errors are sent than so many a minute, the others are counted, with one warning', async (t) => {
  const { sentry, sink, told } = await play(t);
  for (let i = 0; i < 1000; i++) sink.report(fault());
  assert.equal(sink.dropped, 1000 - ERRORS_PER_MINUTE);
  await waitFor(() => sink.sent === ERRORS_PER_MINUTE, { ...WITHIN, what: 'the first to be sent' });
  assert.equal(sentry.events.length, ERRORS_PER_MINUTE);
  assert.deepEqual(told, [`1: more than ${ERRORS_PER_MINUTE} errors within a minute`]);
});

test('a Sentry that never answers holds nothing up, and what it did not take is counted', async (t) => {
  const { sentry, sink } = await play(t);
  sentry.mood = 'hangs';
  for (let i = 0; i < 10; i++) sink.report(fault());
  await waitFor(() => sentry.envelopes.length === 10, { ...WITHIN, what: 'all to be on their way' });
  await sink.close(100);
  assert.deepEqual([sink.sent, sink.dropped], [0, 10]);
  sink.report(fault());
  assert.equal(sink.dropped, 11, 'an error after the end is counted');
});

test('errors that a Sentry does not take which is not there, or refuses, are counted, with one warning', async (t) => {
  const { sentry, sink, told } = await play(t);
  sentry.mood = { status: 403 };
  sink.report(fault());
  await waitFor(() => sink.dropped === 1, { ...WITHIN, what: 'the refused error to be counted' });
  await sentry.stop();
  sink.report(fault());
  await waitFor(() => sink.dropped === 2, { ...WITHIN, what: 'the other to be counted' });
  assert.deepEqual(told, ['1: HTTP 403']);
});

test('a Sentry that asks for a pause is left alone, and what was due meanwhile is counted', async (t) => {
  const { sentry, sink } = await play(t);
  sentry.mood = { status: 429, headers: { 'Retry-After': '60' } };
  sink.report(fault());
  await waitFor(() => sink.dropped === 1, { ...WITHIN, what: 'the refused error to be counted' });
  sentry.mood = 'takes';
  sink.report(fault());
  await waitFor(() => sink.dropped === 2, { ...WITHIN, what: 'the one that was held back to be counted' });
  assert.equal(sentry.envelopes.length, 1);
});

test('closing waits for what is on its way', async (t) => {
  const { sentry, sink } = await play(t);
  sink.report(fault());
  const closing = sink.close(60_000);
  await sink.close(0); // two signals at once, or an error while it ends: the process must not end before
  assert.deepEqual([sink.sent, sentry.events.length], [1, 1]);
  await closing;
});

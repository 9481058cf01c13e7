import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWrkReport } from './wrk-report.js';

const PREAMBLE = `Running 3s test @ http://127.0.0.1:39871/tasks
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   389.12us  312.40us   4.72ms   94.17%
    Req/Sec   136.94k    12.02k  150.15k    83.33%
  409769 requests in 3.00s, 54.71MB read
Requests/sec: 136537.48
Transfer/sec:     18.23MB
`;

function report(changes: Record<string, number> = {}): string {
  const fields = {
    requests: 409_769,
    durationUs: 3_001_157,
    connectErrors: 0,
    readErrors: 0,
    writeErrors: 0,
    timeouts: 0,
    errorStatuses: 0,
    p50Us: 349,
    p99Us: 1595,
    p999Us: 3016,
    maxUs: 4717,
  };
  return `${PREAMBLE}${JSON.stringify({ ...fields, ...changes })}\n`;
}

test('reads requests, time and latencies from the last line of wrk', () => {
  assert.deepEqual(parseWrkReport(report()), {
    accepted: 409_769,
    failed: 0,
    failedBy: { errorStatuses: 0, connectErrors: 0, readErrors: 0, writeErrors: 0, timeouts: 0 },
    seconds: 3.001157,
    latency: { p50: 0.349, p99: 1.595, p999: 3.016, max: 4.717 },
  });
});

test('an answer of 4xx or 5xx was not accepted', () => {
  const { accepted, failed } = parseWrkReport(report({ requests: 100, errorStatuses: 30 }));
  assert.deepEqual({ accepted, failed }, { accepted: 70, failed: 30 });
});

test('broken connections and late answers are failures', () => {
  const { failed } = parseWrkReport(report({ connectErrors: 1, readErrors: 2, writeErrors: 4, timeouts: 8 }));
  assert.equal(failed, 15);
});

test('output without the report is an error', () => {
  assert.throws(() => parseWrkReport(PREAMBLE), /wrk did not report: "Transfer\/sec/);
  assert.throws(() => parseWrkReport(''), /wrk did not report/);
});

test('a report with a field missing is an error, not a figure', () => {
  assert.throws(() => parseWrkReport('{"requests": 5}'), /wrk reported no durationUs/);
});

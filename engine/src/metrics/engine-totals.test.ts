import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DELAY_SECONDS, type EngineFigures, HistogramTable, REQUEST_SECONDS } from '@sluice/telemetry';
import { newCounters } from './counters.js';
import { EngineTotals } from './engine-totals.js';

function figures(accepted: number, seconds: readonly number[]): EngineFigures {
  const durations = new HistogramTable(REQUEST_SECONDS, 1);
  for (const value of seconds) durations.record(0, value);
  return {
    counters: {
      ...newCounters(),
      accepted,
      inFlightRequests: 7,
      refused: { OVERLOADED: accepted },
      shed: { bytes: accepted },
    },
    requests: [
      { route: '/tasks', taskType: 'default', aborted: 1, durations: { '2xx': durations.copyOf(0) } },
    ],
    process: {
      residentMemory: 100,
      heapUsed: 10,
      cpuUser: accepted,
      cpuSystem: 0,
      eventLoopDelay: new HistogramTable(DELAY_SECONDS, 1).copyOf(0),
    },
  };
}

const sumOf = (row: Float64Array | undefined): number => row?.[row.length - 1] ?? 0;

test('processes are summed, histograms merged', () => {
  const totals = new EngineTotals();
  totals.report({}, figures(3, [0.25, 0.5]));
  totals.report({}, figures(4, [2]));
  const { counters, requests, process } = totals.sum();
  assert.equal(counters.accepted, 7);
  assert.equal(counters.inFlightRequests, 14);
  assert.deepEqual([counters.refused, counters.shed], [{ OVERLOADED: 7 }, { bytes: 7 }]);
  assert.equal(requests.length, 1);
  assert.equal(requests[0]?.aborted, 2);
  assert.equal(sumOf(requests[0]?.durations['2xx']), 2.75);
  assert.deepEqual([process.residentMemory, process.cpuUser], [200, 7]);
});

test('a report replaces the one before of the same process', () => {
  const totals = new EngineTotals();
  const one = {};
  totals.report(one, figures(3, [1]));
  totals.report(one, { ...figures(5, []), requests: [] });
  assert.equal(totals.sum().counters.accepted, 5);
  assert.equal(sumOf(totals.sum().requests[0]?.durations['2xx']), 1);
});

test('what a process has counted stays when it ends; what it held does not', () => {
  const totals = new EngineTotals();
  const one = {};
  totals.report(one, figures(3, [1]));
  totals.end(one);
  totals.end(one);
  totals.report({}, figures(2, [0.5]));
  const { counters, requests, process } = totals.sum();
  assert.equal(counters.accepted, 5);
  assert.equal(counters.inFlightRequests, 7);
  assert.equal(sumOf(requests[0]?.durations['2xx']), 1.5);
  assert.deepEqual([process.residentMemory, process.cpuUser], [100, 5]);
  assert.deepEqual(totals.sum(), totals.sum());
});

test('classes of status that only one process has had are kept', () => {
  const totals = new EngineTotals();
  const [one] = figures(1, [1]).requests;
  assert.ok(one !== undefined);
  totals.report({}, figures(1, [1]));
  totals.report(
    {},
    { ...figures(1, []), requests: [{ ...one, durations: { '4xx': one.durations['2xx'] as Float64Array } }] },
  );
  assert.deepEqual(Object.keys(totals.sum().requests[0]?.durations ?? {}).sort(), ['2xx', '4xx']);
});

/** Three processes take tasks, one of them dies and another takes its place: what they say must add up to what was taken. */
function addUp(totals: EngineTotals): void {
  const [one, two, three] = [{}, {}, {}];
  totals.report(one, figures(1, [0.25]));
  totals.report(two, figures(2, [0.5, 0.5]));
  totals.report(one, figures(3, [0.25, 1, 2]));
  totals.end(one);
  totals.report(three, figures(1, [4]));
  const { counters, requests } = totals.sum();
  assert.equal(counters.accepted, 3 + 2 + 1);
  assert.equal(sumOf(requests[0]?.durations['2xx']), 3.25 + 1 + 4);
}

class ForgettingTotals extends EngineTotals {
  override end(from: object): void {
    super.report(from, figures(0, []));
    super.end(from);
  }
}

class DoublingTotals extends EngineTotals {
  override report(_from: object, ...[reported]: [EngineFigures]): void {
    super.report({}, reported);
  }
}

class AveragingTotals extends EngineTotals {
  override sum(): ReturnType<EngineTotals['sum']> {
    const sum = super.sum();
    const halved = (row: Float64Array) => row.map((value) => value / 2);
    const requests = sum.requests.map((one) => ({
      ...one,
      durations: Object.fromEntries(
        Object.entries(one.durations).map(([status, row]) => [status, halved(row)]),
      ),
    }));
    return { ...sum, requests };
  }
}

test('the totals add up to what all processes have taken, and whatever else they say is caught', () => {
  addUp(new EngineTotals());
  for (const Wrong of [ForgettingTotals, DoublingTotals, AveragingTotals]) {
    assert.throws(() => addUp(new Wrong()), assert.AssertionError, `${Wrong.name} went unnoticed`);
  }
});

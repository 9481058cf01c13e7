import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Exposition, METRICS_CONTENT_TYPE } from './exposition.js';
import { HistogramTable } from './histogram-table.js';

const NASTY = 'a "quoted" \\ back\nslash';
const COUNTER = {
  name: 'c_total',
  type: 'counter',
  unit: '1',
  help: `Help with \\ and more.`,
  labels: ['a', 'b'],
} as const;
const GAUGE = { name: 'g', type: 'gauge', unit: '1', help: 'A gauge.', labels: [] } as const;
const HISTOGRAM = {
  name: 'h_seconds',
  type: 'histogram',
  unit: 'seconds',
  help: 'A histogram.',
  labels: ['a'],
  buckets: [0.001, 0.5, 1, 10],
} as const;
const VALUES = [0.0001, 0.001, 0.4, 2, 30, 0.75];

/** The lines of a page; those of prom-client, which puts `le` first, with their labels sorted. */
function linesOf(page: string): string[] {
  return page
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/\{(le="[^"]*"),(.*)\}/, '{$2,$1}'));
}

test('the page is, line by line, what prom-client makes of the same figures', async () => {
  const registry = new Registry();
  const counter = new Counter({ ...COUNTER, labelNames: COUNTER.labels, registers: [registry] });
  counter.inc({ a: NASTY, b: 'ü' }, 3);
  counter.inc({ a: '', b: 'x' }, 1e21);
  const gauge = new Gauge({ ...GAUGE, registers: [registry] });
  gauge.set(Number.POSITIVE_INFINITY);
  const histogram = new Histogram({
    ...HISTOGRAM,
    labelNames: HISTOGRAM.labels,
    buckets: [...HISTOGRAM.buckets],
    registers: [registry],
  });
  const table = new HistogramTable(HISTOGRAM.buckets, 1);
  for (const value of VALUES) {
    histogram.observe({ a: 'x' }, value);
    table.record(0, value);
  }
  const page = new Exposition()
    .add(COUNTER, { a: NASTY, b: 'ü' }, 3)
    .add(GAUGE, {}, Number.POSITIVE_INFINITY)
    .addHistogram(HISTOGRAM, { a: 'x' }, table.copyOf(0))
    .add(COUNTER, { a: '', b: 'x' }, 1e21);
  assert.deepEqual(linesOf(page.text), linesOf(await registry.metrics()));
  assert.equal(METRICS_CONTENT_TYPE, registry.contentType);
});

test('the page ends with a line break, and is empty without figures', () => {
  assert.equal(new Exposition().text, '');
  assert.match(new Exposition().add(GAUGE, {}, 1).text, /g 1\n$/);
});

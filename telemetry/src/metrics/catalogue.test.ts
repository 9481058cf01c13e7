import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRIC_GROUPS } from './catalogue.js';

const ALL = METRIC_GROUPS.flatMap(({ metrics }) => Object.values(metrics));

test('names are valid, unique, and follow the rules of Prometheus', () => {
  assert.equal(new Set(ALL.map(({ name }) => name)).size, ALL.length);
  for (const { name, type, unit, labels } of ALL) {
    assert.match(name, /^sluice_[a-z][a-z0-9_]*$/);
    assert.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    if (unit === 'seconds' || unit === 'bytes') assert.match(name, new RegExp(`_${unit}(_total)?$`), name);
    for (const label of labels) assert.match(label, /^[a-z][a-z_]*$/, name);
  }
});

test('every metric says what it is in one sentence or more, on one line', () => {
  for (const { name, help } of ALL) assert.match(help, /^[A-Z].*\.$/, name);
});

test('histograms, and only they, have buckets, which rise', () => {
  for (const { name, type, buckets } of ALL) {
    assert.equal(buckets !== undefined, type === 'histogram', name);
    const bounds = buckets ?? [];
    assert.deepEqual(
      bounds,
      [...bounds].sort((a, b) => a - b),
      name,
    );
    assert.equal(new Set(bounds).size, bounds.length, name);
  }
});

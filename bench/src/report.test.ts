import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberText, spreadText, textOf } from './report.js';

test('a table has its names left and its figures right', () => {
  const table = {
    title: '64 connections',
    columns: ['server', 'tasks/s'],
    rows: [
      ['bare', '143,000'],
      ['engine', '9'],
    ],
  };
  assert.equal(
    textOf(table),
    ['64 connections', '  server  tasks/s', '  bare    143,000', '  engine        9'].join('\n'),
  );
});

test('a spread is the median and, behind it, the lowest and highest round', () => {
  assert.equal(spreadText({ median: 101_800.4, min: 99_120, max: 103_002 }), '101,800 (99,120–103,002)');
  assert.equal(spreadText({ median: 0.655, min: 0.5, max: 0.7 }, 2), '0.66 (0.50–0.70)');
});

test('numbers are written the same in every locale', () => {
  assert.equal(numberText(1234567.891, 2), '1,234,567.89');
});

test('a figure that nobody has is a dash', () => {
  assert.equal(numberText(Number.NaN, 2), '-');
  assert.equal(spreadText({ median: Number.NaN, min: Number.NaN, max: Number.NaN }, 1), '-');
});

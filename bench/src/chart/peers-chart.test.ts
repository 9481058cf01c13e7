import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peersChart } from './peers-chart.js';

const TAKEN = { at: '2026-11-21T17:00:00.000Z', cpu: 'A & B', cores: 2, node: 'v20.20.2', generator: 'wrk' };

function turn(peer: string, round: number, tasksPerSecond: number): object {
  return {
    peer,
    round,
    tasksPerSecond,
    connections: 64,
    redisVersion: peer === 'bare' ? undefined : '7.0.15',
  };
}

const TURNS = [
  ...[turn('bare', 1, 100_000), turn('<slow>', 1, 5000), turn('Sluice', 1, 80_000)],
  ...[turn('bare', 2, 50_000), turn('<slow>', 2, 5000), turn('Sluice', 2, 40_000)],
];

test('draws the peers fastest first, each as long as its part of the bare server', () => {
  const svg = peersChart({ ...TAKEN, scenarios: [{ name: 'peers', rounds: 2, turns: TURNS }] });
  const bars = [...svg.matchAll(/<rect class="(\w+)".* width="([\d.]+)"/g)].map(([, tone, width]) => [
    tone,
    Number(width),
  ]);
  assert.deepEqual(bars, [
    ['reference', 454],
    ['ours', 363.2],
    ['other', 34.1],
  ]);
  assert.match(svg, />60,000\/s \(0\.80\)</);
});

test('says where the figures were taken, and is well-formed whatever the names', () => {
  const svg = peersChart({ ...TAKEN, scenarios: [{ name: 'peers', rounds: 2, turns: TURNS }] });
  assert.match(svg, /A &amp; B, 2 cores for .*\n.*Node 20\.20\.2, Redis 7\.0\.15, wrk\. 2026-11-21/);
  assert.match(svg, />&lt;slow&gt;</);
});

test('there is no chart of what was not measured', () => {
  assert.throws(() => peersChart({ ...TAKEN, scenarios: [] }), /the scenario peers was not run/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redis } from 'ioredis';
import { autocannon } from '#bench/load/autocannon.js';
import { readCommandLine } from '#bench/options.js';
import { bareLoopPeer } from '#bench/peers/bare-loop.js';
import { bullmqPeer, bullmqThreadsPeer } from '#bench/peers/bullmq-worker.js';
import type { ConsumerPeer } from '#bench/peers/consumer-peer.js';
import { sluiceConsumerPeer } from '#bench/peers/sluice-consumer.js';
import { STREAM } from '#bench/peers/stream-queue.js';
import { bullmqPath, enginePath } from '#bench/peers/task-path.js';
import { Running } from '#bench/running.js';
import type { Bench } from '#bench/scenario.js';
import { takeStartTurn } from '#bench/scenarios/consumers-latency.js';
import { takeDrainTurn } from '#bench/scenarios/consumers-throughput.js';

const RATE = 100;

function shortBench(): Bench {
  const command = readCommandLine(['--rounds', '1', '--seconds', '1', '--warm-up', '1'], []);
  assert.ok(!command.help);
  return {
    options: command.options,
    generator: autocannon(),
    running: new Running(),
    progress: () => {},
    saturation: new Map(),
  };
}

/** With few tasks: what is tested is the bench, not the speed. */
function small(peer: ConsumerPeer, tasks = 2000): ConsumerPeer {
  return { ...peer, expectedPerSecond: tasks / 2 };
}

for (const peer of [sluiceConsumerPeer(), bareLoopPeer(), bullmqPeer(), bullmqThreadsPeer()]) {
  test(`${peer.name}: works off all it was given`, async () => {
    const turn = await takeDrainTurn(shortBench(), small(peer), 1);
    assert.equal(turn.prefilled, 2000);
    assert.ok(turn.accepted > 0 && turn.accepted <= 2000, `${turn.accepted} measured`);
    assert.ok(turn.tasksPerSecond > 0);
    assert.match(turn.redisVersion ?? '', /^\d+\.\d+/);
  });
}

test('a task that is lost ends the bench', async () => {
  const peer = small(sluiceConsumerPeer());
  const losing: ConsumerPeer = {
    ...peer,
    async openQueue(redisUrl) {
      const queue = await peer.openQueue(redisUrl);
      return {
        ...queue,
        async prefill(tasks) {
          await queue.prefill(tasks);
          const redis = new Redis(redisUrl, { protocol: 2 });
          const [[id]] = (await redis.xrange(STREAM, '-', '+', 'COUNT', 1)) as [[string, string[]]];
          await redis.xdel(STREAM, id);
          redis.disconnect();
        },
      };
    },
  };
  await assert.rejects(takeDrainTurn(shortBench(), losing, 1), {
    name: 'BenchFault',
    message: /lost 1 of 2000 tasks/,
  });
});

test('a task that is done without having been run ends the bench', async () => {
  const peer = small(bareLoopPeer());
  const skipping: ConsumerPeer = {
    ...peer,
    start(redisUrl, numbered) {
      const consumer = peer.start(redisUrl, numbered);
      const runs = async () => {
        const report = await consumer.runs();
        return { ...report, runs: report.runs - 1 };
      };
      return { ...consumer, runs };
    },
  };
  await assert.rejects(takeDrainTurn(shortBench(), skipping, 1), {
    name: 'BenchFault',
    message: /1 of 2000 tasks are done without having been run/,
  });
});

test('a consumer that ends early ends the bench with what it said', async () => {
  const peer = small(sluiceConsumerPeer());
  const dying: ConsumerPeer = { ...peer, start: () => peer.start('no address', 0) };
  await assert.rejects(takeDrainTurn(shortBench(), dying, 1), {
    name: 'BenchFault',
    message: /^sluice ended with exit code 1\nREDIS_URL is "no address"/,
  });
});

for (const path of [enginePath(sluiceConsumerPeer()), bullmqPath()]) {
  test(`${path.name}: tells of every task when its handler started`, async () => {
    const turn = await takeStartTurn(shortBench(), path, 1, RATE, undefined);
    assert.equal(turn.accepted, RATE);
    assert.equal(turn.fromAccepted.count, RATE);
    assert.ok(turn.fromDue.min > 0, 'no handler starts before its task is sent');
    assert.ok(turn.fromDue.max < 60_000_000, `clocks are comparable, yet a task took ${turn.fromDue.max} µs`);
  });
}

test('a task that was accepted and never started ends the bench', async () => {
  const path = enginePath(bareLoopPeer());
  const losing = {
    ...path,
    async start(options: Parameters<typeof path.start>[0]) {
      const running = await path.start(options);
      const runs = async () => {
        const report = await running.runs();
        return { ...report, startedAt: report.startedAt.with(7, 0) };
      };
      return { ...running, runs };
    },
  };
  await assert.rejects(takeStartTurn(shortBench(), losing, 1, RATE, undefined), {
    name: 'BenchFault',
    message: /lost 1 of 200 tasks: accepted, and never started/,
  });
});

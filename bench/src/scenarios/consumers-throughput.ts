import { startRedis } from '@sluice/testbed';
import type { Bar } from '../bars.js';
import { BenchFault } from '../bench-fault.js';
import { ratioOf } from '../closed-loop-summary.js';
import { cpuSecondsOfTree } from '../cpu-time.js';
import { faultOfDrain } from '../ledger.js';
import { bareLoopPeer } from '../peers/bare-loop.js';
import { bullmqPeer, bullmqThreadsPeer } from '../peers/bullmq-worker.js';
import type { Books, ConsumerPeer, RunningConsumer, TaskQueue } from '../peers/consumer-peer.js';
import { sluiceConsumerPeer } from '../peers/sluice-consumer.js';
import { cpuText, numberText, spreadText } from '../report.js';
import type { Bench, Scenario, Table } from '../scenario.js';
import { type Spread, spreadOf } from '../statistics.js';
import { disturbances, interleaved, type Turn, withCost } from '../turn.js';

/**
 * How many tasks/s does one consumer process work off when the task itself is nothing? Tasks are put in before it
 * starts; it is measured from when its warm-up part of them is done until none is left.
 */
export const consumersThroughput: Scenario = {
  name: 'consumers-throughput',
  question: 'How many no-op tasks/s does one consumer process work off, beside a bare loop and BullMQ?',
  requirements: ['P-4'],
  defaults: { rounds: 3, seconds: 3, warmUpSeconds: 1 },
  async run(bench) {
    const sluice = sluiceConsumerPeer();
    const others = { bare: bareLoopPeer(), bullmq: bullmqPeer(), bullmqThreads: bullmqThreadsPeer() };
    const peers = [others.bare, sluice, others.bullmq, others.bullmqThreads];
    const turns = await interleaved(bench, peers, (peer, round) => takeDrainTurn(bench, peer, round));
    const summaries = peers.map((peer) => summaryOf(turns, peer, others.bare));
    return {
      tables: [tableOf(summaries)],
      notes: [...repeated(turns), ...disturbances(turns)],
      bars: barsOf(turns, sluice, others),
      turns,
    };
  },
};

interface DrainTurn extends Turn {
  prefilled: number;
  tasksPerSecond: number;
  /** Runs beyond the first of each task. */
  runAgain: number;
}

/** Most tasks of a turn; Redis holds some 300 bytes for each. */
const MOST_TASKS = 500_000;

/** @throws BenchFault when a task was lost, failed, or is done without having been run */
export async function takeDrainTurn(bench: Bench, peer: ConsumerPeer, round: number): Promise<DrainTurn> {
  const { running, options } = bench;
  const { persistent, seconds, warmUpSeconds } = options;
  const wanted = peer.expectedPerSecond * (warmUpSeconds + seconds);
  const prefilled = Math.min(MOST_TASKS, Math.round(wanted));
  const warmUp = Math.round((prefilled * warmUpSeconds) / (warmUpSeconds + seconds));
  return running.use(
    () => startRedis(persistent ? { persistent, config: { appendfsync: 'everysec' } } : {}),
    async (redis) => {
      const queue = await peer.openQueue(redis.url);
      try {
        await queue.prefill(prefilled);
        return await running.use(
          async () => peer.start(redis.url, 0),
          async (consumer) => {
            const cpuSeconds = () => cpuOf(consumer, redis.pid);
            const watch = new QueueWatch(queue, consumer, peer.name);
            const { done: before } = await watch.until(({ done }) => done >= warmUp);
            const { result, cost } = await withCost({ cpuSeconds }, async () => {
              const from = performance.now();
              const { done } = await watch.until(({ left }) => left === 0);
              return { accepted: done - before, elapsed: performance.now() - from };
            });
            const { accepted, elapsed } = result;
            const { runs } = await consumer.runs();
            const fault = faultOfDrain({ prefilled, runs, ...(await queue.books()) });
            if (fault !== undefined) throw new BenchFault(`${peer.name}: ${fault}`);
            if (accepted === 0) throw new BenchFault(`${peer.name} was through before it could be measured`);
            const tasksPerSecond = (accepted / elapsed) * 1000;
            bench.progress(`round ${round}, ${peer.name}: ${numberText(tasksPerSecond)} tasks/s`);
            const { redisVersion } = queue;
            const figures = { prefilled, accepted, tasksPerSecond, runAgain: runs - prefilled };
            return { peer: peer.name, round, ...figures, ...cost, redisVersion };
          },
        );
      } finally {
        await queue.close();
      }
    },
  );
}

function cpuOf(consumer: RunningConsumer, redisPid: number) {
  const server = consumer.cpuSeconds();
  const redis = cpuSecondsOfTree(redisPid);
  return server === undefined || redis === undefined ? undefined : { server, redis };
}

const LOOK_EVERY_MS = 5;
/** Looks without any progress after which a consumer counts as stuck: half a minute, less when the bench was stopped. */
const LOOKS_WITHOUT_PROGRESS = 6000;

/** Watches a queue being worked off; a look costs Redis less than a task does. */
class QueueWatch {
  constructor(
    private readonly queue: TaskQueue,
    private readonly consumer: RunningConsumer,
    private readonly name: string,
  ) {}

  /** @throws BenchFault when the consumer ends or gets stuck before */
  async until(condition: (books: Books) => boolean): Promise<Books> {
    let left = Number.NaN;
    for (let looks = 0; looks < LOOKS_WITHOUT_PROGRESS; looks++) {
      const books = await this.queue.books();
      // A task that was lost is not waited for.
      if (condition(books) || books.left === 0) return books;
      if (books.left !== left) looks = 0;
      left = books.left;
      const end = this.consumer.ended();
      if (end !== undefined) throw this.fault(`ended with ${end}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    throw this.fault(`is stuck with ${left} tasks left`);
  }

  private fault(what: string): BenchFault {
    return new BenchFault(`${this.name} ${what}\n${this.consumer.log()}`.trim());
  }
}

interface Summary {
  peer: string;
  tasksPerSecond: Spread;
  /** Of the bare loop in the same round. */
  ofBare: Spread;
  consumerCpu: number;
  redisCpu: number;
}

function summaryOf(turns: readonly DrainTurn[], peer: ConsumerPeer, bare: ConsumerPeer): Summary {
  const own = turns.filter((turn) => turn.peer === peer.name);
  return {
    peer: peer.name,
    tasksPerSecond: spreadOf(own.map((turn) => turn.tasksPerSecond)),
    ofBare: ratioOf(turns, peer, bare),
    consumerCpu: spreadOf(own.map((turn) => turn.cpuPer100k?.server ?? Number.NaN)).median,
    redisCpu: spreadOf(own.map((turn) => turn.cpuPer100k?.redis ?? Number.NaN)).median,
  };
}

function tableOf(summaries: readonly Summary[]): Table {
  return {
    title: 'one process, no-op tasks, queue filled beforehand: median round (lowest–highest)',
    columns: ['', 'tasks/s', 'of bare loop', 'CPU s per 100,000: consumer', 'Redis'],
    rows: summaries.map(({ peer, tasksPerSecond, ofBare, consumerCpu, redisCpu }) => [
      peer,
      spreadText(tasksPerSecond),
      spreadText(ofBare, 2),
      cpuText(consumerCpu),
      cpuText(redisCpu),
    ]),
  };
}

function repeated(turns: readonly DrainTurn[]): string[] {
  return turns
    .filter(({ runAgain }) => runAgain > 0)
    .map(
      ({ peer, round, runAgain }) => `round ${round}, ${peer}: ${runAgain} runs beyond the first of a task`,
    );
}

function barsOf(
  turns: readonly DrainTurn[],
  sluice: ConsumerPeer,
  others: { bare: ConsumerPeer; bullmq: ConsumerPeer; bullmqThreads: ConsumerPeer },
): Bar[] {
  const beside = (other: ConsumerPeer, limit: number): Bar => ({
    requirement: 'P-4',
    what: `tasks/s of one consumer process beside ${other.name}`,
    measured: ratioOf(turns, sluice, other).median,
    limit,
    is: 'at least',
    unit: ' times',
  });
  return [
    beside(others.bare, 0.8),
    beside(others.bullmq, 4),
    beside(others.bullmqThreads, 10),
    {
      requirement: 'P-4',
      what: 'no-op tasks/s of one consumer process',
      measured: summaryOf(turns, sluice, others.bare).tasksPerSecond.median,
      limit: 100_000,
      is: 'at least',
      unit: '',
    },
  ];
}

import { BenchFault } from '../bench-fault.js';
import { BODY } from '../load/body.js';
import { runAtConstantRate } from '../load/constant-rate.js';
import { histogramOf, type Latency, latencyOf } from '../load/latency.js';
import { numberText } from '../report.js';
import type { Bench, Scenario, Table } from '../scenario.js';
import { dueSpans, faultOfSpans, type SpanBalance } from '../spans/span-balance.js';
import { PROTOCOLS, type Received, type SpanProtocol } from '../spans/span-receiver.js';
import { type CpuOfParts, type SpanSystem, startSpanSystem } from '../spans/span-system.js';

const RATE = 20_000;
/** A machine that cannot do the rate answers the last requests later: that is said, and the spans are counted all the same. */
const PATIENCE_SECONDS = 30;
/** Until the last spans have come, they look as if they did not. */
const DELIVERED_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 100;

/**
 * Does every span arrive? Tasks come at a constant rate, one a request, and are worked off by handlers that do nothing; engine
 * and consumer send all their spans to a receiver that takes each of them apart. It keeps account of every task: its request,
 * the write to Redis, its run, and that they belong to each other.
 */
export const spans: Scenario = {
  name: 'spans',
  question: 'Does every span of every task arrive, and in the right place?',
  requirements: ['O-3'],
  defaults: { rounds: 1, seconds: 60, warmUpSeconds: 1 },
  async run(bench) {
    const turns: SpanTurn[] = [];
    for (let round = 1; round <= bench.options.rounds; round++) {
      for (const protocol of PROTOCOLS) turns.push(await takeTurn(bench, protocol, round));
    }
    const bars = turns.map(({ protocol, rate, accepted, seconds }) => ({
      ...{ requirement: 'O-3', what: `tasks/s accepted while no span was lost, ${protocol}` },
      // As much as a clock that starts a moment before the load does is off by.
      ...{ measured: accepted / seconds, limit: rate * 0.99, is: 'at least' as const, unit: '' },
    }));
    return { tables: [accountTable(turns), costTable(turns)], notes: [NOTE], bars, turns };
  },
};

const NOTE =
  'One task a request, POST /tasks. Each task was checked: its run is a child of its request and in its trace, its request ' +
  'names the write it was part of, and that one links to it.';

interface SpanTurn extends SpanBalance {
  protocol: SpanProtocol;
  round: number;
  rate: number;
  received: Received;
  /** From when the first task was due to the last answer. */
  seconds: number;
  latency: Latency;
  /** CPU seconds of the load, from its start until all spans had come. */
  cpu: CpuOfParts;
}

/** @throws BenchFault when a span is missing, dropped, or out of place */
async function takeTurn(
  { options, running, progress }: Bench,
  protocol: SpanProtocol,
  round: number,
): Promise<SpanTurn> {
  const { processes, persistent, seconds, warmUpSeconds, connections } = options;
  const rate = options.rate > 0 ? options.rate : RATE;
  const most = Math.ceil(rate * (seconds + warmUpSeconds) * 1.1) + 1000;
  return running.use(
    () => startSpanSystem(protocol, { processes, persistent, most }),
    async (system) => {
      const { port, pathname: path } = new URL(system.url);
      const before = system.cpuSeconds();
      const { statuses, unanswered, brokenConnections, tookSeconds, latencies } = await runAtConstantRate({
        ...{ port: Number(port), path, body: BODY, connections: connections[0] ?? 64, ratePerSecond: rate },
        ...{ seconds, warmUpSeconds, patienceSeconds: PATIENCE_SECONDS, between: 'naps' },
      });
      const accepted = statuses[202] ?? 0;
      const answers = Object.values(statuses).reduce((sum, count) => sum + count, 0);
      if (answers !== accepted || unanswered + brokenConnections > 0) {
        const told = JSON.stringify(statuses);
        throw new BenchFault(
          `not all tasks were accepted: ${told}, unanswered ${unanswered}, broken connections ${brokenConnections}`,
        );
      }
      await untilCome(system, accepted);
      const cpu = difference(before, system.cpuSeconds());
      const writes = await system.writes(accepted);
      const balance = { answers, accepted, writes, ...(await system.finish()) };
      const fault = faultOfSpans(balance);
      if (fault !== undefined) throw new BenchFault(`spans by ${protocol}: ${fault}`);
      const latency = latencyOf(histogramOf(latencies));
      progress(
        `round ${round}, ${protocol}: ${numberText(dueSpans(balance))} spans due, all came; 0 dropped; ` +
          `p99 of a 202 ${numberText(latency.p99, 1)} ms`,
      );
      return { protocol, round, rate, ...balance, seconds: tookSeconds, latency, cpu };
    },
  );
}

/** Waits until the spans of all requests and tasks have come; the last ones are under way for a second or two. */
async function untilCome({ receiver }: SpanSystem, accepted: number): Promise<void> {
  const deadline = performance.now() + DELIVERED_WITHIN_MS;
  while (performance.now() < deadline) {
    const { requests, tasks } = await receiver.counts();
    if (requests >= accepted && tasks >= accepted) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function difference(before: CpuOfParts, after: CpuOfParts): CpuOfParts {
  return {
    engine: after.engine - before.engine,
    consumer: after.consumer - before.consumer,
    receiver: after.receiver - before.receiver,
    redis: after.redis - before.redis,
  };
}

function accountTable(turns: readonly SpanTurn[]): Table {
  return {
    title: 'spans that came, of those that were due',
    columns: ['', 'api_request', 'redis_operations', 'task_processing', 'dropped', 'messages', 'MiB'],
    rows: turns.map(({ protocol, received, answers, writes, accepted, dropped }) => [
      protocol,
      `${numberText(received.requests)} of ${numberText(answers)}`,
      `${numberText(received.writes)} of ${numberText(writes)}`,
      `${numberText(received.tasks)} of ${numberText(accepted)}`,
      numberText(dropped),
      numberText(received.messages),
      numberText(received.bytes / 2 ** 20),
    ]),
  };
}

function costTable(turns: readonly SpanTurn[]): Table {
  return {
    title: 'CPU s per 100,000 tasks, and ms of a 202 from when it was due',
    columns: ['', 'engine', 'consumer', 'receiver', 'Redis', 'p50', 'p99', 'p99.9', 'max'],
    rows: turns.map(({ protocol, cpu, accepted, latency }) => [
      protocol,
      ...[cpu.engine, cpu.consumer, cpu.receiver, cpu.redis].map((seconds) =>
        numberText((seconds / accepted) * 100_000, 2),
      ),
      ...[latency.p50, latency.p99, latency.p999, latency.max].map((ms) => numberText(ms, 1)),
    ]),
  };
}

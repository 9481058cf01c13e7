import { type RunningProcess, startRedis } from '@sluice/testbed';
import { BenchFault } from '../bench-fault.js';
import { addAtConstantRate, runAtConstantRate } from '../load/constant-rate.js';
import type { LoadTimes } from '../load/open-loop.js';
import { bullmqPeer } from './bullmq-worker.js';
import type { ConsumerPeer, RunningConsumer } from './consumer-peer.js';
import { startEngineProgram, stopEngineProgram } from './engine.js';
import type { RunReport } from './run-tally.js';

/** The way of a task, from whoever enqueues it to its handler. */
export interface TaskPath {
  /** As it stands in tables. */
  readonly name: string;
  /** @param numbered tasks of which the start is noted */
  start(options: { persistent: boolean; processes: number; numbered: number }): Promise<RunningTaskPath>;
}

export interface PathLoad {
  ratePerSecond: number;
  warmUpSeconds: number;
  seconds: number;
  connections: number;
  /** The core that whoever sends them runs on; undefined: any. */
  core: number | undefined;
}

export interface RunningTaskPath {
  /** @throws BenchFault when a task is refused */
  load(load: PathLoad): Promise<LoadTimes>;
  runs(): Promise<RunReport>;
  stop(): Promise<void>;
}

/** `POST /tasks` of the engine, and a consumer of its stream. */
export function enginePath(consumerPeer: ConsumerPeer): TaskPath {
  return {
    name: `POST /tasks, ${consumerPeer.name}`,
    start: (options) => start(options, consumerPeer, true),
  };
}

/** `Queue.add` of BullMQ, and its Worker. */
export function bullmqPath(): TaskPath {
  return { name: 'Queue.add, BullMQ', start: (options) => start(options, bullmqPeer(), false) };
}

/** Longer than any stall the engine answers by itself. */
const PATIENCE_SECONDS = 5;

async function start(
  { persistent, processes, numbered }: Parameters<TaskPath['start']>[0],
  peer: ConsumerPeer,
  withEngine: boolean,
): Promise<RunningTaskPath> {
  const redis = await startRedis(persistent ? { persistent, config: { appendfsync: 'everysec' } } : {});
  let engine: { engine: RunningProcess; url: string } | undefined;
  let consumer: RunningConsumer | undefined;
  const stop = async (): Promise<void> => {
    try {
      await consumer?.stop();
      if (engine !== undefined) await stopEngineProgram(engine.engine);
    } finally {
      engine?.engine.signal('SIGKILL');
      await redis.stop();
    }
  };
  try {
    if (withEngine) engine = await startEngineProgram(redis.url, { ackMode: 'appended', processes });
    const running = peer.start(redis.url, numbered);
    consumer = running;
    await running.ready;
    const url = engine?.url;
    return {
      load: (load) => (url === undefined ? addJobs(redis.url, load) : postTasks(url, load)),
      runs: () => running.runs(),
      stop,
    };
  } catch (error) {
    await stop().catch(() => {}); // what went wrong first is what matters
    throw error;
  }
}

async function postTasks(url: string, { core, ...load }: PathLoad): Promise<LoadTimes> {
  const { port, pathname: path } = new URL(url);
  const { statuses, unanswered, brokenConnections, times } = await runAtConstantRate(
    {
      ...{ port: Number(port), path, body: 'numbered', patienceSeconds: PATIENCE_SECONDS, between: 'looks' },
      ...load,
    },
    core,
  );
  const refused = Object.entries(statuses).filter(([status]) => status !== '202');
  if (refused.length + unanswered + brokenConnections > 0) {
    const answers = JSON.stringify(statuses);
    throw new BenchFault(
      `not all tasks were accepted: ${answers}, unanswered ${unanswered}, broken connections ${brokenConnections}`,
    );
  }
  return times;
}

function addJobs(
  redisUrl: string,
  { ratePerSecond, warmUpSeconds, seconds, core }: PathLoad,
): Promise<LoadTimes> {
  return addAtConstantRate({ redisUrl, ratePerSecond, warmUpSeconds, seconds }, core);
}

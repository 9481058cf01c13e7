import { queueKeys, resolveOptions, SluiceError } from '@sluice/contract';
import { BREAK, type Broken } from '../broken.js';
import { consumerOptionPairs, consumerOptions, type ResolvedOptions } from '../options.js';
import { laneKeys } from '../redis/group.js';
import { memoryGroup } from './broken-memory-group.js';
import { FaultPlan } from './fault-plan.js';
import { MemoryRedis } from './memory-redis.js';
import { RealWork } from './real-work.js';
import { RunLog } from './run-log.js';
import { Simulation } from './simulation.js';
import { TestConsumer } from './test-consumer.js';
import { TestFaults } from './test-faults.js';
import { loadTestHandlers } from './test-handlers.js';
import type { TestGroupOptions, TestQueueOptions } from './test-options.js';
import { TestQueue } from './test-queue.js';
import { VirtualClock } from './virtual-clock.js';

type Breakable = Partial<ResolvedOptions> & { [BREAK]?: Broken };

const STARTS_AT = new Date('2026-01-01T00:00:00Z');
const PATIENCE_MS = 5000;
const MOST_RUNS = 100_000;

/**
 * Creates a queue on which handlers are run as in production, but without Redis, without threads and without
 * waiting: time is virtual. Nothing runs before `drain`, `advance` or `runDue`.
 *
 * @throws SluiceError `INVALID_OPTIONS`, or `HANDLER_MODULE` when a handler does not load
 *
 * @example
 * const queue = await createTestQueue({ handlers: [sendMail] });
 * const task = queue.add(mail, { to: 'someone@mail.example' });
 * await queue.drain();
 * assert.equal(task.state, 'done');
 */
export async function createTestQueue({
  startsAt = STARTS_AT,
  patienceMs = PATIENCE_MS,
  maxRuns = MOST_RUNS,
  ...group
}: TestQueueOptions): Promise<TestQueue> {
  const { streamName } = optionsOf(group);
  const clock = new VirtualClock(startsAt.getTime());
  const redis = new MemoryRedis(queueKeys(streamName), clock);
  return addGroup(redis, new Simulation(clock, new RealWork(patienceMs)), group, maxRuns);
}

async function addGroup(
  redis: MemoryRedis,
  simulation: Simulation,
  given: TestGroupOptions,
  maxRuns: number,
): Promise<TestQueue> {
  const { listener = () => undefined, random = () => 0 } = given;
  const options = optionsOf(given);
  const broken = (given as Breakable)[BREAK];
  const { clock } = simulation;
  const handlers = await loadTestHandlers(given.handlers, options);
  if (redis.groups.has(options.group)) {
    throw new SluiceError(
      'INVALID_OPTIONS',
      `group is "${options.group}"; allowed: one that is not there yet`,
    );
  }
  redis.groups.add(options.group);
  const lanes = laneKeys(options.streamName, options.group, [...handlers.keys()]).map((keys) => ({
    keys,
    group: memoryGroup(redis.stream(keys.taskType), options.group, redis.deadLetters, clock, broken),
  }));
  const faults = new FaultPlan();
  const log = new RunLog(maxRuns);
  const consumer = new TestConsumer(
    {
      options,
      handlers,
      lanes,
      groups: new Map(lanes.map(({ keys, group }) => [keys.stream, group])),
      clock,
      connection: redis.connection,
      random,
      broken,
      report: listener,
      progressed: simulation.progressed,
    },
    faults,
    log,
  );
  simulation.add(consumer);
  return new TestQueue({
    redis,
    simulation,
    lanes,
    handlers,
    log,
    faults: new TestFaults(faults, redis),
    join: (another) => addGroup(redis, simulation, { ...another, streamName: options.streamName }, maxRuns),
  });
}

function optionsOf({ handlers, listener, random, ...given }: TestGroupOptions): ResolvedOptions {
  return resolveOptions(consumerOptions, given, consumerOptionPairs);
}

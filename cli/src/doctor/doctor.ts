import type { Redis } from 'ioredis';
import { breakers } from './checks/breakers.js';
import { deadLetters } from './checks/dead-letters.js';
import { delayedTasks } from './checks/delayed-tasks.js';
import { growth, keyTypes, ledger, names } from './checks/keys.js';
import { hugepages, openFiles, overcommit, somaxconn } from './checks/machine.js';
import { eviction, memory } from './checks/memory.js';
import { disk, persistence } from './checks/persistence.js';
import { consumers, readers, retries, takeOver } from './checks/readers.js';
import { replication } from './checks/replication.js';
import { clock, connections, latency } from './checks/responsiveness.js';
import { schedules } from './checks/schedules.js';
import { cluster, version } from './checks/version.js';
import type { Check, Facts } from './facts.js';
import type { Diagnosis } from './finding.js';
import { gatherMachineFacts } from './machine-facts.js';
import { gatherQueueFacts, withGrowth } from './queue-facts.js';
import { gatherRedisFacts } from './redis-facts.js';

/** In the order they are shown: what loses tasks first. */
const CHECKS: readonly Check[] = [
  version,
  cluster,
  eviction,
  memory,
  persistence,
  disk,
  replication,
  keyTypes,
  names,
  readers,
  consumers,
  takeOver,
  breakers,
  retries,
  delayedTasks,
  schedules,
  ledger,
  deadLetters,
  growth,
  latency,
  clock,
  connections,
  overcommit,
  hugepages,
  somaxconn,
  openFiles,
];

/**
 * Looks for everything that loses tasks, holds them up, or will: settings of Redis and of the kernel, streams nobody
 * reads, consumers that are gone, and more. Changes nothing.
 *
 * @param url where the connection leads to, to know whether Redis runs on this machine
 */
export async function diagnose(redis: Redis, url: string, streamName = 'tasks:stream'): Promise<Diagnosis> {
  const queue = await gatherQueueFacts(redis, streamName);
  const redisFacts = await gatherRedisFacts(redis);
  const machine = await gatherMachineFacts(url, redisFacts);
  return judge({ redis: redisFacts, machine, queue: await withGrowth(redis, queue) });
}

/** Has every check look at the facts. */
export function judge(facts: Facts): Diagnosis {
  const findings = CHECKS.flatMap(({ name, look }) => look(facts).map((one) => ({ check: name, ...one })));
  return {
    at: new Date(facts.queue.at).toISOString(),
    streamName: facts.queue.streamName,
    findings,
    ok: findings.every(({ severity }) => severity !== 'error'),
  };
}

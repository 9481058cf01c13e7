import { describeThrown } from '@sluice/contract';
import type { Redis } from 'ioredis';
import type { ConfirmedLevel } from './ack-level.js';

/** Finds out why a level of acknowledgement cannot be reached; nothing when it can. */
export type Look = (redis: Redis) => Promise<string | undefined>;

const LOOK_EVERY_MS = 500;
/** After so long without a task that asks for the level nobody looks any more. */
const USED_FOR_MS = 5000;

/**
 * Knows, while a level of acknowledgement is in use, whether there is any point in trying to reach it. That it is
 * reached, only the confirmation of each batch says.
 */
export class LevelProbe {
  /** Whether it has looked lately. */
  isKnown = false;
  /** Why the level cannot be reached; undefined when it can, or that is not known. */
  obstacle: string | undefined;
  /** Told after each look. */
  onLooked: () => void = () => {};
  private usedAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private looking = false;
  /** How often all was forgotten: a look that began before that does not count. */
  private forgotten = 0;

  constructor(
    private readonly redis: Redis,
    private readonly look: Look,
  ) {}

  /** A task asks for the level. */
  use(): void {
    this.usedAt = performance.now();
    if (this.timer !== undefined) return;
    this.timer = setInterval(() => this.lookAgain(), LOOK_EVERY_MS);
    this.lookAgain();
  }

  /** What was seen before may have been another Redis, or one that has started anew since. */
  forget(): void {
    this.forgotten++;
    this.isKnown = false;
    this.obstacle = undefined;
    if (this.timer !== undefined) this.lookAgain();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.forget();
  }

  private lookAgain(): void {
    if (performance.now() - this.usedAt > USED_FOR_MS) this.stop();
    else if (!this.looking) void this.lookNow();
  }

  private async lookNow(): Promise<void> {
    this.looking = true;
    const before = this.forgotten;
    let isKnown = true;
    let obstacle: string | undefined;
    try {
      obstacle = await this.look(this.redis);
    } catch (error) {
      isKnown = error instanceof Error && error.name === 'ReplyError'; // else Redis is away, and nothing is known
      if (isKnown) obstacle = `Redis does not let us look: ${describeThrown(error).message}`;
    }
    this.looking = false;
    if (this.timer === undefined) return;
    if (this.forgotten !== before) {
      this.lookAgain();
      return;
    }
    this.isKnown = isKnown;
    this.obstacle = obstacle;
    this.onLooked();
  }
}

/** What has to be so for a level to be reached. */
export function looksFor(level: ConfirmedLevel, acks: number): Look {
  return level === 'replicated' ? (redis) => lookForReplicas(redis, acks) : lookForFile;
}

/** Seconds since a replica was last heard of, which it is each second, up to which it counts as there. */
const MOST_LAG_SECONDS = 2;

async function lookForReplicas(redis: Redis, acks: number): Promise<string | undefined> {
  const there = replicasThere(await redis.info('replication'));
  if (there >= acks) return undefined;
  return `Redis has ${there} of ${acks} replicas that are connected and keep up`;
}

/** How many replicas an `INFO replication` shows that are connected, and were heard of lately. */
export function replicasThere(info: string): number {
  const replicas = info.matchAll(/^slave\d+:.*\bstate=online\b.*\blag=(\d+)/gm);
  return [...replicas].filter(([, lag]) => Number(lag) <= MOST_LAG_SECONDS).length;
}

async function lookForFile(redis: Redis): Promise<string | undefined> {
  const [known] = (await redis.call('COMMAND', 'INFO', 'WAITAOF')) as unknown[];
  if (!Array.isArray(known)) return 'Redis cannot tell what is on its disk: that takes version 7.2';
  const info = await redis.info('persistence');
  return /^aof_enabled:1/m.test(info) ? undefined : 'Redis keeps no append-only file';
}

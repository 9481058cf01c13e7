import { createHash } from 'node:crypto';
import { PARKED, queueKeys, redisConnection } from '@sluice/contract';
import { Redis } from '../append/ioredis.js';
import { scriptOf } from '../append/script-text.js';
import { type StatusReply, type TaskStatus, taskStatusOf } from './task-status.js';

/** Also while Redis has no memory left, or is a replica. */
const STATUS = `#!lua flags=no-writes\n${scriptOf('status.lua')}`;
const SHA = createHash('sha1').update(STATUS).digest('hex');
const MOST_GROUPS = 100;

/** Asks Redis for tracked tasks, over a connection of its own: many who ask are not to hold up what intake has to know. */
export class StatusLookup {
  private readonly redis: Redis;
  private readonly keys: ReturnType<typeof queueKeys>;
  private hasBeenUp = false;

  /** @param onFound told when its connection is there for the first time */
  constructor(redisUrl: string, streamName: string, timeoutMs: number, onFound: () => void) {
    this.keys = queueKeys(streamName);
    this.redis = new Redis(redisUrl, redisConnection('sluice-engine-status', timeoutMs));
    this.redis.on('error', () => {}); // the append connection sees the same and reports it
    this.redis.once('ready', () => {
      this.hasBeenUp = true;
      onFound();
    });
  }

  /**
   * Whether it has once been connected. That it is lost later is not asked: who cannot say what became of tasks can
   * still take them in.
   */
  get isFound(): boolean {
    return this.hasBeenUp;
  }

  start(): void {
    this.redis.connect().catch(() => {}); // goes on trying by itself
  }

  stop(): void {
    this.redis.disconnect();
  }

  /**
   * What is known of a task, if it is of one of these types; undefined when nothing is. Nothing in a task id says of
   * which type it is, and so Redis is asked for each of them, all at once.
   *
   * @throws Error when Redis does not answer
   */
  async find(taskId: string, types: readonly string[]): Promise<TaskStatus | undefined> {
    const replies = await Promise.all(types.map((type) => this.ask(taskId, type)));
    const index = replies.findIndex((reply) => reply !== null);
    const [reply, type] = [replies[index], types[index]];
    return reply == null || type === undefined ? undefined : taskStatusOf(taskId, type, reply);
  }

  private async ask(taskId: string, type: string): Promise<StatusReply | null> {
    const stream = this.keys.stream(type);
    const { due } = this.keys.schedule(stream);
    const keys = [this.keys.tracked(stream, taskId), stream, due, this.keys.deadLetters];
    const rest = [keys.length, ...keys, taskId, PARKED, MOST_GROUPS];
    try {
      return (await this.redis.call('EVALSHA', SHA, ...rest)) as StatusReply | null; // as status.lua returns it
    } catch (error) {
      // Redis does not know it yet. Nothing was run, so it can be sent again.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return (await this.redis.call('EVAL', STATUS, ...rest)) as StatusReply | null;
    }
  }
}

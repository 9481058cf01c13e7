import { queueKeys, redisConnection, SluiceError } from '@sluice/contract';
import { Redis } from 'ioredis';

const TIMEOUT_MS = 5_000;
const PAGE = 100;
const NOTHING_YET = '0-0';

export interface QueueViewOptions {
  redisUrl: string;
  streamName: string;
  group: string;
  /** Task types whose streams are looked at. */
  types: readonly string[];
}

type Entry = [id: string, fields: string[]];

/**
 * Looks at a queue from outside, as an auditor would: reads, and changes nothing. While Redis is away each
 * look rejects; ioredis connects again by itself.
 */
export class QueueView {
  readonly #redis: Redis;
  readonly #streams: readonly string[];
  readonly #deadLetters: string;
  readonly #group: string;
  #lastDead = NOTHING_YET;

  constructor(options: QueueViewOptions) {
    const keys = queueKeys(options.streamName);
    this.#streams = options.types.map((type) => keys.stream(type));
    this.#deadLetters = keys.deadLetters;
    this.#group = options.group;
    this.#redis = new Redis(options.redisUrl, redisConnection('replay', TIMEOUT_MS));
    this.#redis.on('error', () => undefined); // each look that fails says so itself
  }

  /**
   * Connects, and passes over the dead letters that are there already.
   *
   * @throws SluiceError `REDIS_UNAVAILABLE`
   */
  async open(): Promise<void> {
    try {
      await this.#redis.connect();
      const [last] = await this.#redis.xrevrange(this.#deadLetters, '+', '-', 'COUNT', 1);
      this.#lastDead = last?.[0] ?? NOTHING_YET;
    } catch (cause) {
      this.close();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SluiceError(
        'REDIS_UNAVAILABLE',
        `Redis cannot be asked what became of the tasks: ${reason}`,
        {
          cause,
        },
      );
    }
  }

  /** Calls back with the task id of each dead letter that was added since the last call. */
  async readDead(onDead: (taskId: string) => void): Promise<void> {
    for await (const [id, fields] of this.#entries(this.#deadLetters, this.#lastDead)) {
      this.#lastDead = id;
      const taskId = taskIdOf(fields);
      if (taskId !== undefined) onDead(taskId);
    }
  }

  /** Tasks that are appended and not settled yet. */
  async backlog(): Promise<number> {
    const counts = await Promise.all(this.#streams.map((stream) => this.#backlogOf(stream)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** The ids of all tasks that stand in the streams. */
  async queuedTaskIds(): Promise<Set<string>> {
    const ids = new Set<string>();
    for (const stream of this.#streams) {
      for await (const [, fields] of this.#entries(stream, NOTHING_YET)) {
        const taskId = taskIdOf(fields);
        if (taskId !== undefined) ids.add(taskId);
      }
    }
    return ids;
  }

  close(): void {
    this.#redis.disconnect();
  }

  /** Settled entries are deleted where a stream has one group, so its length is the backlog. */
  async #backlogOf(stream: string): Promise<number> {
    const length = await this.#redis.xlen(stream);
    if (length === 0) return 0;
    const groups = (await this.#redis.xinfo('GROUPS', stream)) as unknown[][]; // one array of name, value ... a group
    const ours = groups.map(toRecord).find((group) => group.name === this.#group);
    if (groups.length <= 1 || ours === undefined) return length;
    // Redis does not know the lag (null) after deletions ahead of a group: then the length is the safe answer.
    return typeof ours.lag === 'number' ? Number(ours.pending) + ours.lag : length;
  }

  async *#entries(stream: string, after: string): AsyncGenerator<Entry> {
    for (let last = after; ; ) {
      const page: Entry[] = await this.#redis.xrange(stream, `(${last}`, '+', 'COUNT', PAGE);
      yield* page;
      const end = page.at(-1);
      if (end === undefined || page.length < PAGE) return;
      last = end[0];
    }
  }
}

/** Fields are name, value, name, value ...; dead letters of undecodable entries may have no task id. */
function taskIdOf(fields: readonly string[]): string | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i] === 'task_id') return fields[i + 1];
  return undefined;
}

function toRecord(pairs: unknown[]): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (let i = 0; i + 1 < pairs.length; i += 2) record[String(pairs[i])] = pairs[i + 1];
  return record;
}

import { queueKeys } from '@sluice/contract';
import type { Redis } from 'ioredis';
import { isBefore } from '../entry-id.js';
import { factOf } from '../reply.js';
import { Script } from '../script.js';
import { type DeadLetter, errorOf } from './letter.js';
import { lastId, readLetters } from './letters.js';

/** What became of the attempt to send a letter back. */
export type Sent =
  | { readonly kind: 'redriven'; readonly sourceId: string }
  /** Somebody else has redriven or purged it. */
  | { readonly kind: 'gone' }
  /** These groups still have something to read on its stream, and would skip it. */
  | { readonly kind: 'behind'; readonly groups: readonly string[] };

/** A redriven task that died again. */
export interface CameBack {
  readonly taskId: string;
  /** Its new letter. */
  readonly letterId: string;
  readonly error: string;
}

interface InFlight {
  readonly stream: string;
  readonly group: string;
  readonly id: string;
}

/** Redis takes a while over these at most; they are sent in one go. */
const PIPELINE = 200;

const redriveScript = new Script('redrive');

/** Sends dead letters back, one atomic step each, and follows what becomes of them. */
export class Redriver {
  done = 0;
  readonly cameBack: CameBack[] = [];
  readonly #redis: Redis;
  readonly #streamName: string;
  readonly #othersSee: 'nothing' | 'all';
  /** By stream and id. */
  readonly #inFlight = new Map<string, InFlight>();
  /** Letters of those in flight that have died again, by the same key. */
  readonly #back = new Map<string, DeadLetter>();
  /** The newest dead letter that was looked at. */
  #seen: string | undefined;

  /** @param othersSee whether other groups on a stream are to see the task too, as if it were new */
  constructor(redis: Redis, streamName: string, othersSee: 'nothing' | 'all') {
    this.#redis = redis;
    this.#streamName = streamName;
    this.#othersSee = othersSee;
  }

  /** Redriven tasks that are not known to be settled. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  async send(
    { id, group, sourceStream }: Pick<DeadLetter, 'id' | 'group' | 'sourceStream'>,
    payload: Buffer | undefined,
  ): Promise<Sent> {
    const keys = queueKeys(this.#streamName);
    // Whatever comes back comes after this.
    this.#seen ??= await lastId(this.#redis, keys.deadLetters);
    const [kind, ...details] = (await redriveScript.run(
      this.#redis,
      [keys.deadLetters, sourceStream, keys.ledger(sourceStream, group)],
      [id, group, this.#othersSee, payload === undefined ? 0 : 1, payload ?? ''],
    )) as [Sent['kind'], ...string[]]; // as redrive.lua returns it
    switch (kind) {
      case 'redriven': {
        const [sourceId = ''] = details;
        this.#inFlight.set(`${sourceStream} ${sourceId}`, { stream: sourceStream, group, id: sourceId });
        return { kind, sourceId };
      }
      case 'gone':
        return { kind };
      case 'behind':
        return { kind, groups: details };
    }
  }

  /** Looks at what has become of those in flight. */
  async look(): Promise<void> {
    if (this.#inFlight.size === 0) return;
    const settled = await this.#settled();
    if (settled.length === 0) return;
    // Read after that, and dead letters are written before a task is acknowledged: all that died are among them.
    await this.#readBack();
    for (const key of settled) {
      this.#inFlight.delete(key);
      const letter = this.#back.get(key);
      this.#back.delete(key);
      if (letter === undefined) this.done += 1;
      else this.cameBack.push({ taskId: letter.taskId, letterId: letter.id, error: errorOf(letter) });
    }
  }

  /** Keys of those that their group has been given and that are not pending any more. */
  async #settled(): Promise<string[]> {
    const settled: string[] = [];
    for (const { stream, group, members } of this.#byGroup()) {
      const lastDelivered = await this.#lastDelivered(stream, group);
      const delivered = members.filter(([, { id }]) => !isBefore(lastDelivered, id));
      for (let i = 0; i < delivered.length; i += PIPELINE) {
        const some = delivered.slice(i, i + PIPELINE);
        const pending = await Promise.all(
          some.map(([, { id }]) => this.#redis.xpending(stream, group, id, id, 1)),
        );
        settled.push(...some.filter((_, j) => pending[j]?.length === 0).map(([key]) => key));
      }
    }
    return settled;
  }

  /** Those in flight, by the group that has them. */
  #byGroup(): { stream: string; group: string; members: [key: string, InFlight][] }[] {
    const groups: { stream: string; group: string; members: [key: string, InFlight][] }[] = [];
    for (const entry of this.#inFlight) {
      const [, { stream, group }] = entry;
      const known = groups.find((one) => one.stream === stream && one.group === group);
      if (known === undefined) groups.push({ stream, group, members: [entry] });
      else known.members.push(entry);
    }
    return groups;
  }

  /** `0-0` while the group does not exist. */
  async #lastDelivered(stream: string, group: string): Promise<string> {
    if ((await this.#redis.exists(stream)) === 0) return '0-0';
    const groups = (await this.#redis.xinfo('GROUPS', stream)) as unknown[][]; // name, value ... per group
    const ours = groups.find((facts) => factOf(facts, 'name') === group);
    return ours === undefined ? '0-0' : String(factOf(ours, 'last-delivered-id'));
  }

  /** Reads the letters written since the last look, and keeps those of tasks in flight. */
  async #readBack(): Promise<void> {
    for await (const letter of readLetters(this.#redis, this.#streamName, { after: this.#seen ?? '0-0' })) {
      this.#seen = letter.id;
      const key = `${letter.sourceStream} ${letter.sourceId}`;
      if (this.#inFlight.has(key)) this.#back.set(key, letter);
    }
  }
}

import { queueKeys, TASK_ID_LENGTH, TRACEPARENT_LENGTH } from '@sluice/contract';
import type { Redis } from 'ioredis';
import { Batcher, type BatcherOptions } from './append/batcher.js';
import { ConfirmedBatcher, type ConfirmedBatcherOptions } from './append/confirmed-batcher.js';
import { heldOf } from './append/idempotency.js';
import { PendingTask } from './intake/pending-task.js';
import type { ResolvedEngineOptions } from './options.js';
import { RouteSpans } from './traces/route-spans.js';

/**
 * Promises that an engine can be made to break on purpose, for the negative controls of the tests. Not an option: the
 * symbol cannot be set by accident.
 */
export const BREAK = Symbol.for('sluice.break');

export type Broken =
  /** Looks whether an idempotency key is known, and then stores the task. */
  | 'idempotency-in-steps'
  /** Stores a task whose request was refused for what came behind it. */
  | 'nothing-taken-back'
  /** Takes a level of acknowledgement for reached however few have confirmed it. */
  | 'confirmed-by-none'
  /** Forgets the span of every tenth request, and does not count it. */
  | 'loses-spans'
  /** Gives every tenth request the span of the one before. */
  | 'mixes-up-spans';

/** The batcher of an engine: as it should be, unless it is asked to be broken. */
export function batcherOf(
  broken: Broken | undefined,
  batcherOptions: BatcherOptions,
  redis: Redis,
  options: ResolvedEngineOptions,
): Batcher {
  if (broken === 'idempotency-in-steps') return new BatcherInSteps(batcherOptions, redis, options);
  return broken === 'nothing-taken-back' ? new KeepingBatcher(batcherOptions) : new Batcher(batcherOptions);
}

/** The batcher of a level that is confirmed: as it should be, unless it is asked to be broken. */
export function confirmedBatcherOf(
  broken: Broken | undefined,
  batcherOptions: ConfirmedBatcherOptions,
): ConfirmedBatcher {
  if (broken === 'confirmed-by-none') return new ConfirmedBatcher({ ...batcherOptions, needed: 0 });
  return broken === 'nothing-taken-back'
    ? new KeepingConfirmedBatcher(batcherOptions)
    : new ConfirmedBatcher(batcherOptions);
}

class KeepingConfirmedBatcher extends ConfirmedBatcher {
  override takeBack(): boolean {
    return false;
  }
}

/** What makes the spans of requests. */
export function routeSpansOf(broken: Broken | undefined): typeof RouteSpans {
  if (broken === 'loses-spans') return LosingSpans;
  return broken === 'mixes-up-spans' ? MixedUpSpans : RouteSpans;
}

const EVERY = 10;

class LosingSpans extends RouteSpans {
  #answered = 0;

  override answered(...answer: Parameters<RouteSpans['answered']>): void {
    if (++this.#answered % EVERY !== 0) super.answered(...answer);
  }
}

class MixedUpSpans extends RouteSpans {
  #answered = 0;
  #before = new Uint8Array(TASK_ID_LENGTH + TRACEPARENT_LENGTH);

  override answered(...[{ names, nameAt }, ...answer]: Parameters<RouteSpans['answered']>): void {
    const own = names.slice(nameAt, nameAt + this.#before.length);
    const mixed = own.slice();
    mixed.set(this.#before.subarray(TASK_ID_LENGTH), TASK_ID_LENGTH);
    this.#before = own;
    super.answered({ names: ++this.#answered % EVERY === 0 ? mixed : own, nameAt: 0 }, ...answer);
  }
}

class KeepingBatcher extends Batcher {
  override takeBack(): boolean {
    return false;
  }
}

class BatcherInSteps extends Batcher {
  readonly #redis: Redis;
  readonly #ttlMs: number;
  readonly #keys: ReturnType<typeof queueKeys>;

  constructor(batcherOptions: BatcherOptions, redis: Redis, options: ResolvedEngineOptions) {
    super(batcherOptions);
    this.#redis = redis;
    this.#ttlMs = options.idempotencyTtlSeconds * 1000;
    this.#keys = queueKeys(options.streamName);
  }

  override append(...[encode, task, timestamp, payload]: Parameters<Batcher['append']>): void {
    const asked = task instanceof PendingTask ? task.asked : undefined;
    if (!(task instanceof PendingTask) || asked?.key === undefined) {
      super.append(encode, task, timestamp, payload);
      return;
    }
    const { key, holder, fingerprint } = asked;
    const redisKey = this.#keys.idempotency(this.#keys.stream(task.route.type), key, holder);
    const copy = Buffer.from(payload);
    const inSteps = async (): Promise<void> => {
      const held = await this.#redis.get(redisKey).catch((error: unknown) => error);
      if (held instanceof Error) {
        task.onAppendFailed({ code: 'REDIS_UNAVAILABLE', reason: held.message });
        return;
      }
      if (typeof held === 'string') {
        task.onAppended(undefined, held);
        return;
      }
      super.append(task.route.encode, task, timestamp, copy);
      await this.#redis.set(redisKey, heldOf(task, { key, holder, fingerprint }), 'PX', this.#ttlMs);
    };
    inSteps().catch(() => {}); // broken is broken
  }
}

import { type QueueKeys, queueKeys, redisConnection } from '@sluice/contract';
import { type Exposition, QUEUE_METRICS } from '@sluice/telemetry';
import type { Redis } from 'ioredis';
import { readStreamFigures, type StreamFigures } from './queue-figures.js';
import { TimeToDrain } from './time-to-drain.js';

const LOOK_EVERY_MS = 1000;
/** Streams that are looked at in one go; of more, each has its turn every few seconds. */
const STREAMS_AT_ONCE = 50;
/** The number that stands for each state of a breaker. */
export const BREAKER_STATES = { closed: 0, 'half-open': 1, open: 2 } as const;

/**
 * Looks at the streams once a second, so that whoever asks for metrics is answered from memory at once, however often
 * they ask and whatever Redis does. While Redis is away the figures stay as they were, and their age says so.
 */
export class QueueWatch {
  private redis: Redis | undefined;
  private readonly keys: QueueKeys;
  private readonly figures = new Map<string, StreamFigures>();
  private readonly drains = new Map<string, TimeToDrain>();
  private deadLetters: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private looking = false;
  private stopped = false;
  private next = 0;
  private lookedAt: number | undefined;

  /** @param streams those that are looked at */
  constructor(
    private readonly redisUrl: string,
    streamName: string,
    private readonly streams: readonly string[],
  ) {
    this.keys = queueKeys(streamName);
  }

  /** Loads ioredis, which the start of a program does not wait for, and begins. */
  async start(): Promise<void> {
    const { Redis } = await import('../append/ioredis.js');
    if (this.stopped) return;
    const redis = new Redis(this.redisUrl, redisConnection('sluice-engine-metrics', 5000));
    this.redis = redis;
    redis.on('error', () => {}); // the engine processes see the same and report it
    redis.connect().catch(() => {}); // goes on trying by itself
    this.timer = setInterval(() => void this.look(redis), LOOK_EVERY_MS);
    redis.on('ready', () => void this.look(redis));
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
    this.redis?.disconnect();
  }

  /** Tasks that wait, over all streams; undefined before the first look. */
  get backlog(): number | undefined {
    if (this.figures.size === 0) return undefined;
    return [...this.figures.values()].reduce((sum, { backlog }) => sum + backlog, 0);
  }

  expose(to: Exposition): void {
    const { deadLetters, queueFiguresAge, ...ofStreams } = QUEUE_METRICS;
    if (this.lookedAt === undefined) return;
    to.add(queueFiguresAge, {}, (performance.now() - this.lookedAt) / 1000);
    if (this.deadLetters !== undefined) to.add(deadLetters, {}, this.deadLetters);
    for (const one of this.figures.values()) {
      const { stream } = one;
      const drain = this.drains.get(stream);
      to.add(ofStreams.backlog, { stream }, one.backlog);
      to.add(ofStreams.timeToDrain, { stream }, drain?.seconds ?? 0);
      if (drain?.perSecond !== undefined) to.add(ofStreams.drainRate, { stream }, drain.perSecond);
      to.add(ofStreams.streamAppended, { stream }, one.added);
      to.add(ofStreams.scheduled, { stream }, one.scheduled);
      for (const outcome of ['scheduled', 'promoted']) {
        to.add(ofStreams.scheduleLedger, { stream, outcome }, one.scheduleLedger[outcome] ?? 0);
      }
      this.exposeGroups(to, one);
    }
  }

  private exposeGroups(to: Exposition, { stream, groups }: StreamFigures): void {
    for (const { group, lag, pending, consumers, retriesWaiting, breaker, ledger } of groups) {
      const labels = { stream, group };
      const { lost = 0, ...outcomes } = ledger;
      if (lag !== undefined) to.add(QUEUE_METRICS.groupLag, labels, lag);
      to.add(QUEUE_METRICS.groupPending, labels, pending);
      to.add(QUEUE_METRICS.groupConsumers, labels, consumers);
      to.add(QUEUE_METRICS.retriesWaiting, labels, retriesWaiting);
      to.add(QUEUE_METRICS.breakerState, labels, BREAKER_STATES[breaker]);
      to.add(QUEUE_METRICS.lost, labels, lost);
      for (const [outcome, count] of Object.entries({ done: 0, dead: 0, retried: 0, ...outcomes })) {
        to.add(QUEUE_METRICS.ledger, { ...labels, outcome }, count);
      }
    }
  }

  private async look(redis: Redis): Promise<void> {
    if (this.looking || redis.status !== 'ready') return;
    this.looking = true;
    const turn = Array.from(
      { length: Math.min(STREAMS_AT_ONCE, this.streams.length) },
      (_, i) => this.streams[(this.next + i) % this.streams.length] as string, // below the length
    );
    this.next = (this.next + turn.length) % this.streams.length;
    const looks = await Promise.allSettled([
      redis.xlen(this.keys.deadLetters).then((length) => {
        this.deadLetters = length;
      }),
      ...turn.map((stream) => this.lookAt(redis, stream)),
    ]);
    // A key that is no stream must not make the rest look old.
    if (looks.some(({ status }) => status === 'fulfilled')) this.lookedAt = performance.now();
    this.looking = false;
  }

  private async lookAt(redis: Redis, stream: string): Promise<void> {
    const figures = await readStreamFigures(redis, this.keys, stream);
    const drain = this.drains.get(stream) ?? new TimeToDrain();
    this.drains.set(stream, drain);
    drain.observe(figures.workable, figures.added - figures.backlog, performance.now());
    this.figures.set(stream, figures);
  }
}

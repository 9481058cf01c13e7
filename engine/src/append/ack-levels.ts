import type { Redis } from 'ioredis';
import { type Broken, confirmedBatcherOf } from '../broken.js';
import type { ResolvedEngineOptions } from '../options.js';
import type { WriteSpans } from '../traces/write-spans.js';
import type { AckLevel, ConfirmedLevel } from './ack-level.js';
import type { Appender, Batcher } from './batcher.js';
import type { ConfirmedBatcher } from './confirmed-batcher.js';
import { LevelProbe, looksFor } from './level-probe.js';

interface Level {
  readonly batcher: ConfirmedBatcher;
  readonly probe: LevelProbe;
}

/** Which way tasks take to Redis for each level of acknowledgement. */
export class AckLevels {
  private readonly confirmed: Readonly<Record<ConfirmedLevel, Level>>;

  /**
   * @param batcher the way of tasks that are received or appended
   * @param redis a connection to ask what can be reached
   */
  constructor(
    private readonly batcher: Batcher,
    redis: Redis,
    options: ResolvedEngineOptions,
    onBatch: (size: number) => void,
    broken?: Broken,
    spans?: WriteSpans,
  ) {
    const { redisUrl, replicatedAcks } = options;
    const appendTimeoutMs = options.appendTimeoutSeconds * 1000;
    const ackTimeoutMs = Math.ceil(options.ackTimeoutSeconds * 1000);
    const level = (name: ConfirmedLevel, confirm: readonly (string | number)[], needed: number): Level => {
      const probe = new LevelProbe(redis, looksFor(name, needed));
      const confirmed = {
        redisUrl,
        appendTimeoutMs,
        ackTimeoutMs,
        confirm,
        needed,
        probe,
        onBatch,
        spans,
      };
      return { probe, batcher: confirmedBatcherOf(broken, confirmed) };
    };
    this.confirmed = {
      replicated: level('replicated', ['WAIT', replicatedAcks, ackTimeoutMs], replicatedAcks),
      fsynced: level('fsynced', ['WAITAOF', 1, 0, ackTimeoutMs], 1),
    };
  }

  /** The way to a level. */
  of(level: AckLevel): Appender {
    return level === 'replicated' || level === 'fsynced' ? this.confirmed[level].batcher : this.batcher;
  }

  /** Why a level cannot be reached, as far as that is known beforehand. */
  obstacleTo(level: AckLevel): string | undefined {
    if (level !== 'replicated' && level !== 'fsynced') return undefined;
    const { probe } = this.confirmed[level];
    probe.use();
    return probe.obstacle;
  }

  /** Tasks whose waiters have not been told yet. */
  get pending(): number {
    const { replicated, fsynced } = this.confirmed;
    return this.batcher.pending + replicated.batcher.pending + fsynced.batcher.pending;
  }

  close(): void {
    this.batcher.close();
    for (const { batcher } of Object.values(this.confirmed)) batcher.close();
  }
}

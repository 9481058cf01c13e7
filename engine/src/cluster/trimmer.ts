import { readFileSync } from 'node:fs';
import { redisConnection } from '@sluice/contract';
import type { EngineListener } from '@sluice/telemetry';
import type { Redis } from 'ioredis';

const TRIM = readFileSync(new URL('../../src/scripts/trim.lua', import.meta.url), 'utf8');
const TRIM_EVERY_MS = 1000;

export interface TrimmerOptions {
  redisUrl: string;
  streams: readonly string[];
  retentionSeconds: number;
  listener: EngineListener;
}

interface TrimmingRedis extends Redis {
  trimAcknowledged(stream: string, retentionMs: number, from: string): Promise<[number, string]>;
}

/**
 * Removes what every group has acknowledged from the streams, once a second; never at XADD, where MAXLEN
 * would delete tasks nobody has read. Several trimmers do no harm to each other.
 */
export class Trimmer {
  private redis: TrimmingRedis | undefined;
  private readonly cursors = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;
  private trimming: Promise<void> | undefined;
  private stopped = false;

  constructor(private readonly options: TrimmerOptions) {}

  /** Loads ioredis, which the start of a program does not wait for, and begins. */
  async start(): Promise<void> {
    const { Redis } = await import('../append/ioredis.js');
    if (this.stopped) return;
    const redis = new Redis(this.options.redisUrl, redisConnection('sluice-engine-trimmer', 5000));
    redis.on('error', () => {}); // the engine processes see the same and report it
    redis.defineCommand('trimAcknowledged', { numberOfKeys: 1, lua: TRIM });
    redis.connect().catch(() => {}); // goes on trying by itself
    const trimming = redis as TrimmingRedis; // defineCommand has added the method
    this.redis = trimming;
    this.timer = setInterval(() => {
      this.trimming ??= this.trimAll(trimming).finally(() => {
        this.trimming = undefined;
      });
    }, TRIM_EVERY_MS);
  }

  /** Waits for nothing: a script that Redis has begun is finished by Redis, and a frozen one would hold a shutdown up. */
  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
    this.redis?.disconnect();
  }

  /** Trims each stream once. */
  private async trimAll(redis: TrimmingRedis): Promise<void> {
    if (redis.status !== 'ready') return;
    for (const stream of this.options.streams) {
      try {
        await this.trim(redis, stream);
      } catch (error) {
        // Away, loading, read-only, or the key is no stream: the next round comes in a second.
        if (redis.status === 'ready' && !this.stopped) {
          this.options.listener({ type: 'internal-error', where: `trimming ${stream}`, error });
        }
      }
    }
  }

  private async trim(redis: TrimmingRedis, stream: string): Promise<void> {
    const retentionMs = Math.round(this.options.retentionSeconds * 1000);
    const [count, next] = await redis.trimAcknowledged(stream, retentionMs, this.cursors.get(stream) ?? '-');
    this.cursors.set(stream, next);
    if (count > 0) this.options.listener({ type: 'entries-trimmed', stream, count });
  }
}

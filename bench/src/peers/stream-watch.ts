import type { Redis } from 'ioredis';
import { verifyAdded } from './added-tasks.js';
import { connect, versionOf } from './stream-queue.js';

/** A backlog as full as `STREAM_MAXLEN` allows by default. */
const KEPT_ENTRIES = 100_000;
const TRIM_EVERY_MS = 100;

/**
 * The stream behind an intake under load. Nothing works the tasks off, so it cuts the stream back while the load
 * runs: else a round of 30 KB bodies would fill gigabytes, and Redis would be measured as it asks the system for
 * memory. `entries-added` counts on regardless, and that is what is compared with the 202s.
 */
export class StreamWatch {
  private readonly timer: NodeJS.Timeout;
  private trimming: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly redis: Redis,
    private readonly stream: string,
    keptEntries: number,
    readonly redisVersion: string,
  ) {
    this.timer = setInterval(() => {
      this.trimming = this.redis.xtrim(this.stream, 'MAXLEN', '~', keptEntries).catch(() => {});
    }, TRIM_EVERY_MS);
  }

  static async open(redisUrl: string, stream: string, keptEntries = KEPT_ENTRIES): Promise<StreamWatch> {
    const redis = await connect(redisUrl);
    return new StreamWatch(redis, stream, keptEntries, await versionOf(redis));
  }

  /** @throws BenchFault when what was added is not what was accepted */
  verify(accepted: number, unanswered: number): Promise<void> {
    return verifyAdded(() => this.entriesAdded(), accepted, unanswered);
  }

  close(): void {
    clearInterval(this.timer);
    void this.trimming.finally(() => this.redis.disconnect());
  }

  private async entriesAdded(): Promise<number> {
    if ((await this.redis.exists(this.stream)) === 0) return 0;
    const info = (await this.redis.xinfo('STREAM', this.stream)) as unknown[];
    return Number(info[info.indexOf('entries-added') + 1]);
  }
}

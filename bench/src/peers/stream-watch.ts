import { redisConnection } from '@sluice/contract';
import { Redis } from 'ioredis';
import { BenchFault } from '../bench-fault.js';
import { faultOfLedger } from '../ledger.js';

/** Entries kept: a backlog as full as `STREAM_MAXLEN` allows by default. */
const KEPT_ENTRIES = 100_000;
const TRIM_EVERY_MS = 100;
const TIMEOUT_MS = 3000;
/** The stream counts as settled when nothing was added for so long. */
const QUIET_MS = 100;

/**
 * The stream behind an engine under load. Nothing works the tasks off, so it cuts the stream back while the load
 * runs: else a round of 30 KB bodies would fill gigabytes, and Redis would be measured as it asks the system for
 * memory. `entries-added` counts on regardless, and that is what is compared with the 202s.
 */
export class StreamWatch {
  private readonly timer: NodeJS.Timeout;
  private trimming: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly redis: Redis,
    private readonly stream: string,
    readonly redisVersion: string,
  ) {
    this.timer = setInterval(() => {
      this.trimming = this.redis.xtrim(this.stream, 'MAXLEN', '~', KEPT_ENTRIES).catch(() => {});
    }, TRIM_EVERY_MS);
  }

  static async open(redisUrl: string, stream: string): Promise<StreamWatch> {
    const redis = new Redis(redisUrl, redisConnection('sluice-bench', TIMEOUT_MS));
    redis.on('error', () => {}); // every command reports it
    await redis.connect();
    const version = /^redis_version:(.*)$/m.exec(await redis.info('server'))?.[1]?.trim() ?? 'unknown';
    return new StreamWatch(redis, stream, version);
  }

  /** @throws BenchFault when what was added is not what was accepted */
  async verify(accepted: number, unanswered: number): Promise<void> {
    const entriesAdded = await this.settled(accepted);
    const fault = faultOfLedger({ accepted, unanswered, entriesAdded });
    if (fault !== undefined) throw new BenchFault(fault);
  }

  close(): void {
    clearInterval(this.timer);
    void this.trimming.finally(() => this.redis.disconnect());
  }

  /** Entries ever added, once nothing more is on its way; with ACK_MODE=received the appends come after the 202. */
  private async settled(expected: number): Promise<number> {
    const deadline = performance.now() + TIMEOUT_MS;
    let added = -1;
    for (;;) {
      const now = await this.entriesAdded();
      if (now === added && (added >= expected || performance.now() > deadline)) return added;
      added = now;
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    }
  }

  private async entriesAdded(): Promise<number> {
    if ((await this.redis.exists(this.stream)) === 0) return 0;
    const info = (await this.redis.xinfo('STREAM', this.stream)) as unknown[];
    return Number(info[info.indexOf('entries-added') + 1]);
  }
}

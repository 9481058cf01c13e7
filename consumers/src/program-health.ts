import type { ConsumerListener } from '@sluice/telemetry';

/** Body of `GET /health` of a consumer process. */
interface ConsumerHealth {
  status: 'healthy' | 'unhealthy';
  timestamp: string;
  redis_connected: boolean;
}

/** How a consumer process is, going by its events. */
export class ProgramHealth {
  private readonly withoutRedis = new Set<string>();
  private phase: 'starting' | 'running' | 'stopping' = 'starting';

  readonly listener: ConsumerListener = (event) => {
    if (event.type === 'started' && this.phase === 'starting') this.phase = 'running';
    if (event.type === 'redis-lost') this.withoutRedis.add(event.thread);
    if (event.type === 'redis-back') this.withoutRedis.delete(event.thread);
    // The thread that takes its place says for itself how it is.
    if (event.type === 'thread-replaced') this.forget(event.thread);
  };

  stopping(): void {
    this.phase = 'stopping';
  }

  /** Whether it works: consumers get no traffic, so this is for rollouts, which wait for it. */
  get ready(): boolean {
    return this.phase === 'running' && this.withoutRedis.size === 0;
  }

  get health(): ConsumerHealth {
    const isConnected = this.phase !== 'starting' && this.withoutRedis.size === 0;
    return {
      status: isConnected ? 'healthy' : 'unhealthy',
      timestamp: new Date().toISOString(),
      redis_connected: isConnected,
    };
  }

  private forget(index: number): void {
    for (const thread of this.withoutRedis) {
      if (thread.endsWith(`:${index}`)) this.withoutRedis.delete(thread);
    }
  }
}

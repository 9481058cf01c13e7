import { type RedisHealth, redisHealthOf } from '../admission/append-breakers.js';
import { type Health, healthOf } from '../http/health.js';
import type { ClusterState } from '../metrics/cluster-metrics.js';

/** What an engine process last said of itself. */
interface Reported {
  /** Undefined until it has said anything. */
  readonly health: Health | undefined;
  readonly ready: boolean;
}

/** How the engine processes are, taken together. */
export class ClusterHealth {
  /** All were ready at the same time. */
  private wasWhole = false;

  /** @param processes those that run now; looked at each time */
  constructor(
    private readonly processes: ReadonlySet<Reported>,
    private readonly version: string,
  ) {}

  /**
   * Whether tasks should be sent here. At the start not before every process is ready: they share the port, and one that is
   * not would answer 503. Later as long as one is: a share of the tasks is better than none.
   */
  isReady(): boolean {
    const { ready, unready } = this.state();
    this.wasWhole ||= ready > 0 && unready === 0;
    return this.wasWhole && ready > 0;
  }

  state(): ClusterState {
    const all = [...this.processes];
    const ready = all.filter((one) => one.ready).length;
    const redisConnected = all.length > 0 && all.every((one) => one.health?.redis_connected === true);
    const { refused } = this.redis();
    return { ready, unready: all.length - ready, redisConnected, refused };
  }

  /** Body of `GET /health`: healthy only when this process and each of them is. */
  now(): Health {
    const reports = [...this.processes].map((one) => one.health);
    const own = healthOf(this.state().redisConnected, this.redis(), this.version);
    const allHealthy = reports.length > 0 && reports.every((one) => one?.status === 'healthy');
    return { ...own, status: allHealthy && own.status === 'healthy' ? 'healthy' : 'unhealthy' };
  }

  private redis(): RedisHealth {
    return redisHealthOf([...this.processes].flatMap((one) => one.health?.redis ?? []));
  }
}

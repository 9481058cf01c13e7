import { AppendBreaker, type AppendBreakerOptions } from './append-breaker.js';

export type BreakerState = AppendBreaker['state'];

/** What `/health` says of the way to Redis. */
export interface RedisHealth {
  /** The worst of all streams; `open`, too, while Redis is away or silent. */
  breaker: BreakerState;
  /** The streams that Redis refuses tasks of, with the code of its last error. */
  refused: { stream: string; breaker: BreakerState; cause: string }[];
}

/** One breaker for each stream of an engine. */
export class AppendBreakers {
  private readonly all: AppendBreaker[] = [];

  constructor(private readonly options: AppendBreakerOptions) {}

  of(stream: string): AppendBreaker {
    const breaker = new AppendBreaker(stream, this.options);
    this.all.push(breaker);
    return breaker;
  }

  /** How often one has opened. */
  get opened(): number {
    return this.all.reduce((sum, { opened }) => sum + opened, 0);
  }

  health(isRedisUp: boolean): RedisHealth {
    const refused = this.all
      .filter(({ isOpen }) => isOpen)
      .map(({ stream, state, refusedWith }) => ({ stream, breaker: state, cause: refusedWith }));
    return { breaker: isRedisUp ? worstOf(refused) : 'open', refused };
  }
}

/** What several processes report, taken together. */
export function redisHealthOf(reports: readonly RedisHealth[]): RedisHealth {
  const refused = new Map<string, RedisHealth['refused'][number]>();
  for (const one of reports.flatMap((report) => report.refused)) {
    if (refused.get(one.stream)?.breaker !== 'open') refused.set(one.stream, one);
  }
  return { breaker: reports.length === 0 ? 'open' : worstOf(reports), refused: [...refused.values()] };
}

function worstOf(all: readonly { breaker: BreakerState }[]): BreakerState {
  if (all.some(({ breaker }) => breaker === 'open')) return 'open';
  return all.some(({ breaker }) => breaker === 'half-open') ? 'half-open' : 'closed';
}

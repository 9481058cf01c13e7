import type { EngineListener } from '@sluice/telemetry';
import type { AppendFailure } from '../append/batcher.js';
import { appendRefused, type Refusal } from '../http/answers.js';
import { concernsAllOfRedis, refusalCause } from './refusal-cause.js';

export interface AppendBreakerOptions {
  /** Refusals in a row after which it opens; 0: never. */
  refusals: number;
  /** Time between two probes, in milliseconds. */
  probeAfterMs: number;
  listener: EngineListener;
  /** Milliseconds of a clock that never goes back. */
  now: () => number;
}

/**
 * Stops writing the tasks of a stream to a Redis that refuses every one of them; each is answered 503 at once. A Redis that
 * is away or silent is seen to by `AppendConnection`.
 *
 * ```
 *            so many refused in a row           a request, a moment after the last
 *  closed ───────────────────────────▶ open ─────────────────────────────────────▶ half-open
 *     ▲                                  ▲ └ requests are refused                    │    │
 *     │                                  └──────────────── refused ──────────────────┘    │
 *     └─────────────────────────────────────────── appended ──────────────────────────────┘
 * ```
 *
 * A probe is a request like any other. Which one it was is not remembered, only when: one that comes to nothing, because
 * its client left or the connection broke, is followed by another. Without requests nothing is tried.
 */
export class AppendBreaker {
  /** All that a request looks at while it is closed. */
  isOpen = false;
  /** Refusals since something was appended. */
  refusals = 0;
  /** How often it has opened. */
  opened = 0;
  private cause = '';
  private openedAt = 0;
  private probeAt = 0;
  private isProbing = false;

  constructor(
    readonly stream: string,
    private readonly options: AppendBreakerOptions,
  ) {}

  get state(): 'closed' | 'open' | 'half-open' {
    if (!this.isOpen) return 'closed';
    return this.isProbing ? 'half-open' : 'open';
  }

  /** The first word of what Redis said last, such as `OOM`. */
  get refusedWith(): string {
    return this.cause;
  }

  /** Why a task of its stream cannot come in while it is open; nothing when it is time for a probe. */
  obstacle(): Refusal | undefined {
    if (!this.isOpen || this.options.now() >= this.probeAt) return undefined;
    return appendRefused(this.cause, Math.ceil(this.options.probeAfterMs / 1000));
  }

  /** The same for a task, or a batch, that is about to be written to Redis: it is the probe, if it is time for one. */
  lastObstacle(): Refusal | undefined {
    const obstacle = this.obstacle();
    if (this.isOpen && obstacle === undefined) {
      this.probeAt = this.options.now() + this.options.probeAfterMs;
      this.isProbing = true;
    }
    return obstacle;
  }

  /**
   * Something was appended. Need not be called while there are no {@link refusals}.
   *
   * @param isPlain whether by XADD, rather than by a script: that one may be refused and the other not
   */
  noteAppended(isPlain: boolean): void {
    if (!isPlain && !concernsAllOfRedis(this.cause)) return;
    this.refusals = 0;
    if (!this.isOpen) return;
    this.isOpen = false;
    this.isProbing = false;
    const { now, listener } = this.options;
    listener({ type: 'breaker-closed', stream: this.stream, openMs: Math.round(now() - this.openedAt) });
  }

  /** So many appends have failed. */
  noteFailed(count: number, { code, reason }: AppendFailure, isPlain: boolean): void {
    if (code === 'ACK_LEVEL_NOT_REACHED' && this.refusals > 0) this.noteAppended(isPlain); // it is stored
    if (code !== 'APPEND_REFUSED') return;
    const cause = refusalCause(reason);
    if (!isPlain && !concernsAllOfRedis(cause)) return;
    this.cause = cause;
    this.refusals += count;
    this.isProbing = false;
    const { refusals, probeAfterMs, now, listener } = this.options;
    if (this.isOpen || refusals === 0 || this.refusals < refusals) return;
    this.isOpen = true;
    this.opened++;
    this.openedAt = now();
    this.probeAt = this.openedAt + probeAfterMs;
    listener({ type: 'breaker-opened', stream: this.stream, refusals: this.refusals, reason });
  }
}

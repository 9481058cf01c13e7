import type { ConsumerListener } from '@sluice/telemetry';
import { LinkClosed, type RedisLink, refusalOf } from '../redis/redis-link.js';
import { monotonicMs } from '../thread/clock.js';
import type { CronRuns } from './cron-runs.js';
import type { ResolvedSchedule } from './cron-schedules.js';
import { runsToEnqueue } from './runs-to-enqueue.js';

/** All schedules are looked at this often: what others did, and how late it is by the clock of Redis. */
const LOOK_MS = 30_000;
/** After a failure. */
const RETRY_MS = 1000;
/** Who did not enqueue the last run lets the one who did go first, by this and as much again at random. */
const STEP_BACK_MS = 300;
/** Runs enqueued by one script call. */
const MOST_RUNS = 20;

/** A schedule, and what this process knows of it. */
interface Watched {
  readonly schedule: ResolvedSchedule;
  /** The run that was enqueued last, by whomever; undefined until Redis was asked. */
  last: number | undefined;
  /** When to look for runs to enqueue, in Redis time. */
  wakeAt: number;
  /** How long after a run it is enqueued, if nobody else has. */
  stepBackMs: number;
  /** The last run that was reported as missed. */
  missed: number;
  /** Redis knows too many schedules to take this one in, and that was reported. */
  refused: boolean;
}

/**
 * Enqueues the runs of cron schedules. Every consumer that has a schedule knows all its runs, and all of them may try:
 * what Redis remembers of the last run decides, in the same step that appends the task. So that not all of them ask at
 * once, one who came too late steps back, and looks first whether there is anything left to do.
 *
 * Time is that of Redis throughout. The own clock only measures how long it is until then.
 */
export class Cron {
  readonly #runs: CronRuns;
  readonly #link: RedisLink;
  readonly #graceMs: number;
  readonly #report: ConsumerListener;
  readonly #watched: readonly Watched[];
  /** What to add to the monotonic clock to get the time of Redis. */
  #clockOffset = 0;
  #lookAllAt = 0;
  #failure = '';
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #stopped = false;

  constructor(
    schedules: readonly ResolvedSchedule[],
    graceMs: number,
    runs: CronRuns,
    link: RedisLink,
    report: ConsumerListener,
  ) {
    this.#runs = runs;
    this.#link = link;
    this.#graceMs = graceMs;
    this.#report = report;
    this.#watched = schedules.map((schedule) => ({
      schedule,
      last: undefined,
      wakeAt: Number.POSITIVE_INFINITY,
      stepBackMs: Math.random() * STEP_BACK_MS,
      missed: 0,
      refused: false,
    }));
  }

  start(): void {
    this.lookNow();
  }

  /** Asks Redis at once how things are: it has been away, for instance. */
  lookNow(): void {
    this.#lookAllAt = 0;
    this.#sleep(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#working;
  }

  #sleep(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped || this.#working !== undefined || this.#watched.length === 0) return;
    this.#timer = setTimeout(
      () => {
        this.#working = this.#work().then((next) => {
          this.#working = undefined;
          this.#sleep(next);
        });
      },
      Math.max(0, Math.ceil(ms)),
    );
  }

  /** Does what is to be done now, and says in how many milliseconds to come back. */
  async #work(): Promise<number> {
    if (!this.#link.up) return RETRY_MS;
    try {
      if (monotonicMs() >= this.#lookAllAt) {
        this.#lookAllAt = monotonicMs() + LOOK_MS;
        await this.#look(this.#watched);
      }
      await this.#look(this.#due().filter(({ stepBackMs }) => stepBackMs > 0));
      for (const one of this.#due()) await this.#enqueue(one);
      this.#failure = '';
    } catch (error) {
      this.#lookAllAt = 0;
      this.#failed(error);
      return RETRY_MS;
    }
    const soonest = Math.min(...this.#watched.map(({ wakeAt }) => wakeAt - this.#now));
    return Math.min(soonest, this.#lookAllAt - monotonicMs());
  }

  get #now(): number {
    return monotonicMs() + this.#clockOffset;
  }

  /** Redis said that it is this late. The answer took its time, so that we are rather behind than ahead of it. */
  set #now(now: number) {
    this.#clockOffset = now - monotonicMs();
  }

  #due(): Watched[] {
    return this.#watched.filter(({ wakeAt }) => wakeAt <= this.#now);
  }

  async #look(watched: readonly Watched[]): Promise<void> {
    if (watched.length === 0) return;
    const asked = watched.map(({ schedule: { name, times }, last }) => ({
      name,
      next: last === undefined ? undefined : times.next(last),
    }));
    const [now, lasts] = await this.#runs.look(asked);
    this.#now = now;
    for (const [i, one] of watched.entries()) {
      const last = lasts[i] ?? -1;
      if (last >= 0) this.#remember(one, last);
      else this.#noRoomFor(one);
    }
  }

  async #enqueue(one: Watched): Promise<void> {
    const { schedule, last } = one;
    if (last === undefined) return;
    const now = this.#now;
    const { runs, missed } = runsToEnqueue(schedule.times, last, now, this.#graceMs);
    if (missed !== undefined) this.#miss(one, missed, 'too-late');
    const some = runs.slice(0, MOST_RUNS);
    const latest = some.at(-1);
    if (latest === undefined) {
      this.#remember(one, Math.max(last, missed ?? last));
      return;
    }
    const [redisNow, lastNow, enqueued, full] = await this.#runs.enqueue(
      schedule,
      some,
      schedule.times.next(latest),
    );
    this.#now = redisNow;
    if (enqueued > 0) one.stepBackMs = 0;
    else if (lastNow >= latest) one.stepBackMs = STEP_BACK_MS * (1 + Math.random());
    this.#remember(one, lastNow);
    if (full === 1) {
      this.#miss(one, latest, 'backlog-full');
      one.wakeAt = redisNow + RETRY_MS;
    }
  }

  #remember(one: Watched, last: number): void {
    one.last = last;
    const next = one.schedule.times.next(last);
    one.wakeAt = next === undefined ? Number.POSITIVE_INFINITY : next + one.stepBackMs;
  }

  #miss(one: Watched, run: number, reason: 'too-late' | 'backlog-full'): void {
    if (one.missed >= run) return;
    one.missed = run;
    this.#report({
      type: 'runs-missed',
      schedule: one.schedule.name,
      lastRun: new Date(run).toISOString(),
      reason,
    });
  }

  #noRoomFor(one: Watched): void {
    one.last = undefined;
    one.wakeAt = Number.POSITIVE_INFINITY;
    if (one.refused) return;
    one.refused = true;
    const error = new Error(`the queue knows too many schedules to take "${one.schedule.name}" in`);
    this.#report({ type: 'internal-error', where: 'cron', error });
  }

  /** Redis away, loading, read-only or without memory: it passes by itself, and is reported by whoever it hinders. */
  #failed(error: unknown): void {
    const refusal = refusalOf(error);
    if (error instanceof LinkClosed || refusal === undefined || PASSING.has(refusal)) return;
    if (String(error) === this.#failure) return; // as long as nothing changes, once is enough
    this.#failure = String(error);
    this.#report({ type: 'internal-error', where: 'cron', error });
  }
}

const PASSING: ReadonlySet<string> = new Set(['LOADING', 'READONLY', 'MISCONF', 'OOM', 'MASTERDOWN', 'BUSY']);

import type { ConsumerCounters, ConsumerListener, RingMemory, TaskResourceFigures } from '@sluice/telemetry';
import { type Broken, cronRunsOf, promoteOf } from '../broken.js';
import { Cron } from '../cron/cron.js';
import type { ResolvedSchedule } from '../cron/cron-schedules.js';
import type { TaskMetrics } from '../metrics/task-metrics.js';
import type { ResolvedOptions } from '../options.js';
import { createGroup, type LaneKeys, laneKeys, takeConsumerName, threadConsumer } from '../redis/group.js';
import { RedisHealth } from '../redis/redis-health.js';
import { LinkClosed, RedisLink, refusalOf } from '../redis/redis-link.js';
import { leaveScript } from '../redis/scripts.js';
import { UsageSampler } from '../usage/usage-sampler.js';
import { AftermathWriter } from './aftermath-writer.js';
import { Leases } from './leases.js';
import { Promoter } from './promoter.js';
import { Recoverer } from './recoverer.js';
import { ThreadPool } from './thread-pool.js';
import type { WorkerThread } from './worker-thread.js';

/** How often dead consumers are looked for; a random part is added, so that processes do not look together. */
const RECOVER_MS = 2000;

/** After Redis was away, how long others get to renew their leases before anybody takes their tasks over. */
const MERCY_MS = 5000;

/** How long leaving the group may take; without it the empty consumers are removed by others later. */
const LEAVE_MS = 1000;

/** What a supervisor is given. */
export interface SupervisorPlan {
  readonly options: ResolvedOptions;
  readonly threads: number;
  /** Wanted name of the process in the group. */
  readonly processName: string;
  readonly modules: Readonly<Record<string, string>>;
  /** Cron schedules. */
  readonly schedules: readonly ResolvedSchedule[];
  readonly broken: Broken | undefined;
  /** Where each thread writes down what it ran; undefined: tasks are not traced. */
  readonly rings: readonly RingMemory[] | undefined;
  readonly report: ConsumerListener;
}

/**
 * The main thread of a consumer. It runs no task and reads none: it starts the worker threads, renews the leases of
 * what they hold, replaces those that hang or die, frees what dead consumers hold, promotes delayed tasks, and enqueues the runs of cron schedules.
 */
export class Supervisor {
  readonly #plan: SupervisorPlan;
  readonly #lanes: readonly LaneKeys[];
  readonly #link: RedisLink;
  readonly #leases: Leases;
  readonly #recoverer: Recoverer;
  readonly #aftermath: AftermathWriter;
  readonly #promoter: Promoter;
  readonly #cron: Cron;
  readonly #usage: UsageSampler;
  #processName: string;
  #pool: ThreadPool | undefined;
  #renewing: NodeJS.Timeout | undefined;
  #recovering: NodeJS.Timeout | undefined;
  #recoverNotBefore = 0;
  #stopping = false;

  constructor(plan: SupervisorPlan) {
    const { options, report } = plan;
    this.#plan = plan;
    this.#processName = plan.processName;
    this.#lanes = laneKeys(options.streamName, options.group, Object.keys(plan.modules));
    const watch = new RedisHealth(plan.processName, report).watch('supervisor');
    this.#link = new RedisLink(options.redisUrl, `${plan.processName}:supervisor`, (up, reason) => {
      watch(up, reason);
      if (up && this.#pool !== undefined) this.#afterOutage();
    });
    const { broken } = plan;
    this.#leases = new Leases(
      options.group,
      this.#lanes,
      this.#link,
      options.leaseSeconds,
      (thread, lost) => {
        if (broken !== 'no-lease-notice') thread.leasesLost(lost);
      },
    );
    this.#recoverer = new Recoverer(options.group, this.#lanes, this.#link, options.leaseSeconds, report);
    this.#aftermath = new AftermathWriter(options.group, this.#lanes, this.#link, report);
    const streams = this.#lanes.map((lane) => lane.stream);
    const promote = promoteOf(plan.broken);
    this.#promoter = new Promoter(options.streamName, streams, this.#link, report, promote);
    const runs = cronRunsOf(plan.broken, this.#link, options.streamName);
    this.#cron = new Cron(plan.schedules, options.scheduleGraceSeconds * 1000, runs, this.#link, report);
    this.#usage = new UsageSampler({
      ...options,
      taskTypes: this.#lanes.map((lane) => lane.taskType),
      threads: () => this.#pool?.threads ?? [],
      report,
    });
  }

  get counters(): ConsumerCounters {
    return this.#pool?.counters ?? { read: 0, done: 0, retried: 0, dead: 0, fenced: 0, running: 0 };
  }

  /** What tasks took that ended within the last minute, by type. */
  get taskResources(): TaskResourceFigures[] {
    return this.#usage.figures;
  }

  /** What the threads have counted by task type, those that were replaced included. */
  get metrics(): readonly TaskMetrics[] {
    return this.#pool?.metrics ?? [];
  }

  /** Joins the group and starts the threads. Waits for Redis when it is not there yet. */
  async start(): Promise<void> {
    const { options, threads, modules, broken, report } = this.#plan;
    await this.#joinGroup();
    this.#pool = new ThreadPool(
      { options, threads, modules, broken, rings: this.#plan.rings, processName: this.#processName },
      {
        report,
        ended: async (thread, end) => {
          const settled = await this.#aftermath.settle(thread, end);
          this.#pool?.look();
          return settled;
        },
        gaveUp: (detail) => report({ type: 'crash-loop', detail }),
      },
    );
    try {
      await this.#pool.start();
    } catch (error) {
      await this.#leaveInTime([]);
      throw error;
    }
    this.#renewing = setInterval(() => void this.#renew(), this.#leases.intervalMs);
    this.#recoverLater();
    this.#promoter.start();
    this.#cron.start();
    this.#usage.start();
    report({ type: 'started', consumer: this.#processName, threads, taskTypes: Object.keys(modules) });
  }

  /**
   * Finishes what runs, leaves the group, ends the threads.
   *
   * @returns how many running tasks did not finish in time; they are left to other consumers
   */
  async stop(): Promise<number> {
    this.#stopping = true;
    clearTimeout(this.#recovering);
    void this.#promoter.stop();
    void this.#cron.stop();
    this.#usage.stop();
    // Leases are renewed until the last task is through.
    const unfinished = (await this.#pool?.stop(this.#plan.options.shutdownTimeoutSeconds * 1000)) ?? [];
    clearInterval(this.#renewing);
    let left = 0;
    for (const { board } of unfinished) {
      left += board.held().filter((entry) => entry.state === 'running').length;
    }
    await this.#leaveInTime(unfinished);
    return left;
  }

  async #joinGroup(): Promise<void> {
    const { options, processName, report } = this.#plan;
    const { group } = options;
    for (;;) {
      await this.#link.ready();
      try {
        for (const lane of this.#lanes) {
          if (await createGroup(this.#link.redis, lane, group))
            report({ type: 'group-created', stream: lane.stream, group });
        }
        const streams = this.#lanes.map((lane) => lane.stream);
        this.#processName = await takeConsumerName(this.#link.redis, streams, group, processName);
        return;
      } catch (error) {
        if (refusalOf(error) !== undefined) throw error; // a key that is no stream, no permission: say so at start
      }
    }
  }

  async #renew(): Promise<void> {
    if (!this.#link.up || this.#pool === undefined || this.#plan.broken === 'no-renewal') return;
    try {
      await this.#leases.renew(this.#pool.threads);
    } catch (error) {
      this.#failed('leases', error);
    }
  }

  #afterOutage(): void {
    this.#recoverNotBefore = performance.now() + MERCY_MS;
    this.#promoter.lookNow();
    this.#cron.lookNow();
    void this.#renew();
  }

  #recoverLater(): void {
    this.#recovering = setTimeout(
      () => void this.#recover().finally(() => this.#recoverLater()),
      RECOVER_MS * (0.75 + 0.5 * Math.random()),
    );
    if (this.#stopping) clearTimeout(this.#recovering);
  }

  async #recover(): Promise<void> {
    if (!this.#link.up || performance.now() < this.#recoverNotBefore) return;
    if (this.#plan.broken === 'no-take-over') return;
    // When this thread was kept from its timers, our own leases have run out as well: they come first.
    if (this.#leases.overdue) await this.#renew();
    try {
      if (await this.#recoverer.recover()) this.#pool?.look();
    } catch (error) {
      this.#failed('recoverer', error);
    }
  }

  /** Most failures pass by themselves, and are reported by whoever they keep from working. */
  #failed(where: string, error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal === undefined || refusal === 'NOGROUP' || error instanceof LinkClosed) return;
    this.#plan.report({ type: 'internal-error', where, error });
  }

  /** Leaves the group if Redis lets us within a second; if not, others clean up after us. */
  async #leaveInTime(unfinished: readonly WorkerThread[]): Promise<void> {
    const tooLong = setTimeout(() => this.#link.close(), LEAVE_MS);
    await this.#leave(unfinished).catch(() => undefined);
    clearTimeout(tooLong);
    this.#link.close();
  }

  async #leave(unfinished: readonly WorkerThread[]): Promise<void> {
    for (const thread of unfinished) await this.#aftermath.settle(thread, { kind: 'stopped' });
    await this.#link.ready();
    for (let thread = 0; thread < this.#plan.threads; thread++) {
      const consumer = threadConsumer(this.#processName, thread);
      for (const { stream } of this.#lanes) {
        await leaveScript.run(this.#link.redis, [stream], [this.#plan.options.group, consumer]);
      }
    }
  }
}

import type { ConsumerListener } from '@sluice/telemetry';
import type { Broken } from '../broken.js';
import type { HandlerContext, Task } from '../handlers/handler.js';
import type { LoadedHandler } from '../handlers/handler-registry.js';
import type { ResolvedOptions } from '../options.js';
import { type Entry, Lane } from '../reading/entry.js';
import { HeldEntries } from '../reading/held-entries.js';
import { Lanes } from '../reading/lanes.js';
import { loseLeases } from '../reading/lost-leases.js';
import { ReadQuota } from '../reading/read-quota.js';
import { SUSPECT_CRASHES } from '../reading/retries.js';
import type { LaneKeys } from '../redis/group.js';
import { Runner } from '../running/runner.js';
import type { Outcome, RetryPolicy } from '../settling/outcome.js';
import { Settler } from '../settling/settler.js';
import type { LostLease } from '../thread/thread-messages.js';
import { BoardView, type HeldEntry, newBoard, ThreadBoard } from '../thread/thread-protocol.js';
import type { ConnectionFaults } from './connection-faults.js';
import type { MemoryGroup } from './memory-group.js';
import { MemoryOutcomeSink, type Writer } from './memory-outcome-sink.js';
import type { VirtualClock } from './virtual-clock.js';

/** Slots beyond what may run at once, for tasks whose outcome is not written yet. */
const SETTLING_SLOTS = 1024;

/** A lane with the group that its entries come from. */
export interface ModelLane {
  readonly keys: LaneKeys;
  readonly group: MemoryGroup;
}

/** What the threads of one consumer share. */
export interface ThreadPlan {
  readonly options: ResolvedOptions;
  readonly handlers: ReadonlyMap<string, LoadedHandler>;
  readonly lanes: readonly ModelLane[];
  readonly groups: ReadonlyMap<string, MemoryGroup>;
  readonly clock: VirtualClock;
  readonly connection: ConnectionFaults;
  readonly random: () => number;
  readonly broken: Broken | undefined;
  readonly report: ConsumerListener;
  /** Something has changed. */
  readonly progressed: () => void;
}

/** What is to happen around the runs of a thread. */
export interface ThreadHooks {
  /** Calls the handler. */
  run(thread: TestThread, entry: Entry, handler: LoadedHandler, task: Task, context: HandlerContext): unknown;
  /** An outcome was decided; false when the thread did not live to tell. */
  decided(thread: TestThread, entry: Entry, outcome: Outcome): boolean;
  /** An outcome came too late. */
  fenced(thread: TestThread, entryId: string): void;
}

/**
 * What thread-consumer.ts is on a real Redis: the same lanes, runner and settler, and the same board. Only that it is
 * no thread, that it reads when it is told to, and that its time is the virtual one.
 */
export class TestThread implements Writer {
  readonly consumer: string;
  dead = false;
  thawed: Promise<void> = Promise.resolve();
  readonly #plan: ThreadPlan;
  readonly #hooks: ThreadHooks;
  readonly #board: BoardView;
  readonly #held: HeldEntries;
  readonly #lanes: Lanes;
  readonly #quota: ReadQuota;
  readonly #settler: Settler;
  readonly #runner: Runner;
  readonly #begun = new Set<Entry>();

  constructor(consumer: string, plan: ThreadPlan, hooks: ThreadHooks) {
    const { options, handlers, clock, report } = plan;
    this.consumer = consumer;
    this.#plan = plan;
    this.#hooks = hooks;
    const buffer = newBoard(options.maxConcurrentTasks + SETTLING_SLOTS);
    const board = new ThreadBoard(buffer);
    this.#board = new BoardView(buffer);
    this.#held = new HeldEntries(board);
    this.#quota = new ReadQuota(options.readBatchSize);
    this.#lanes = new Lanes(
      plan.lanes.map(({ keys }, index) => new Lane(index, keys, this.#handlerOf(keys.taskType).concurrency)),
      options.maxConcurrentTasks,
    );
    this.#settler = new Settler({
      sink: new MemoryOutcomeSink(plan.groups, plan.connection, this),
      lanes: this.#lanes.all,
      held: this.#held,
      board,
      listener: {
        report: (event) => {
          if (event.type === 'outcome-fenced') hooks.fenced(this, event.entryId);
          report(event);
        },
        parked: () => undefined,
        // The model has no breaker: what one handler does with one task does not depend on it.
        learned: () => undefined,
        settled: plan.progressed,
      },
    });
    this.#runner = new Runner({
      lanes: this.#lanes,
      held: this.#held,
      board,
      quota: this.#quota,
      handlers: new Map([...handlers].map(([taskType, handler]) => [taskType, this.#hooked(handler)])),
      now: () => clock.now,
      random: plan.random,
      maxCrashes: options.maxCrashes,
      acknowledgeFirst: plan.broken === 'acknowledge-first',
      settle: (entry, outcome) => this.#settle(entry, outcome),
      giveBack: (entry) => this.#settler.giveBack(entry),
      report,
    });
  }

  /** What the supervisor sees of it. */
  get held(): readonly HeldEntry[] {
    return this.#board.held();
  }

  get empty(): boolean {
    return this.#held.empty;
  }

  /** Whether a handler runs whose outcome is open. */
  get running(): boolean {
    return this.#open().length > 0;
  }

  /** When the next handler runs out of time. */
  get nextDeadline(): number | undefined {
    const deadlines = this.#open().map((entry) => entry.deadline);
    return deadlines.length === 0 ? undefined : Math.min(...deadlines);
  }

  get policies(): RetryPolicy[] {
    return this.#lanes.all.map((lane) => this.#handlerOf(lane.keys.taskType).retryPolicy);
  }

  /** Takes in what is due and what is new, as far as there is room, and starts it. */
  work(): void {
    if (!this.#plan.connection.away) {
      this.#takeDue();
      this.#read();
    }
    this.#runner.dispatch();
  }

  /** Fails what has run out of time. */
  sweep(): void {
    this.#runner.sweep();
  }

  /** Renews the leases of what it holds, and tells the handlers of those that are lost. */
  renew(): void {
    const lost: LostLease[] = [];
    for (const { lane, id, deliveries } of this.#held) {
      if (this.#groupOf(lane).renew(this.consumer, id, deliveries)) continue;
      lost.push({ lane: lane.index, id, deliveries });
    }
    if (lost.length === 0 || this.#plan.broken === 'no-lease-notice') return;
    loseLeases(lost, this.#held, this.#lanes, this.#plan.report);
    this.#plan.progressed();
  }

  /** Starts nothing more of what it has taken in. */
  drop(): void {
    for (const entry of this.#lanes.takeWaiting()) this.#held.free(entry);
  }

  /** Ends it, whatever it is doing. */
  die(): void {
    this.dead = true;
    this.#lanes.takeWaiting();
  }

  #takeDue(): void {
    for (const lane of this.#lanes.all) {
      const most = Math.min(this.#quota.current, this.#lanes.roomFor(lane), this.#held.freeSlots);
      if (most <= 0) continue;
      const { taken, lost } = this.#groupOf(lane).takeDue(this.consumer, most, SUSPECT_CRASHES);
      for (const { id, fields, deliveries, failed, crashes } of taken) {
        this.#lanes.add(this.#held.holdAgain(lane, id, fields, deliveries, failed, crashes));
      }
      if (lost.length > 0) {
        this.#plan.report({ type: 'tasks-lost', stream: lane.keys.stream, entryIds: lost });
      }
      if (taken.length + lost.length > 0) this.#plan.progressed();
    }
  }

  #read(): void {
    const plan = this.#lanes.plan(this.#quota.current, this.#held.freeSlots, this.#plan.clock.now);
    for (const lane of plan?.lanes ?? []) {
      const entries = this.#groupOf(lane).read(this.consumer, plan?.count ?? 0);
      lane.mayHaveMore = entries.length >= (plan?.count ?? 0);
      for (const { id, fields } of entries) this.#lanes.add(this.#held.hold(lane, id, fields));
      if (entries.length > 0) this.#plan.progressed();
    }
  }

  #hooked(handler: LoadedHandler): LoadedHandler {
    return {
      ...handler,
      run: (task, context) => {
        const entry = this.#entryOf(task);
        this.#begun.add(entry);
        return this.#hooks.run(this, entry, handler, task, context);
      },
    };
  }

  /** The entry that is being started. The runner has named it after its task by now. */
  #entryOf(task: Task): Entry {
    for (const entry of this.#held) {
      if (entry.taskId === task.id && entry.deliveries === task.attempt && !this.#begun.has(entry))
        return entry;
    }
    throw new Error(`task ${task.id} is run without being held`);
  }

  #settle(entry: Entry, outcome: Outcome): void {
    if (this.dead) return;
    this.#begun.delete(entry);
    this.#plan.progressed();
    if (this.#hooks.decided(this, entry, outcome)) this.#settler.settle(entry, outcome);
  }

  #open(): Entry[] {
    return [...this.#held].filter((entry) => entry.handler !== undefined && !entry.decided);
  }

  #groupOf(lane: Lane): MemoryGroup {
    return (this.#plan.lanes[lane.index] as ModelLane).group; // made from the same list
  }

  #handlerOf(taskType: string): LoadedHandler {
    return this.#plan.handlers.get(taskType) as LoadedHandler; // the lanes are those of the handlers
  }
}

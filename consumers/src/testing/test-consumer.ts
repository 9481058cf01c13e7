import type { HandlerContext, Task } from '../handlers/handler.js';
import type { LoadedHandler } from '../handlers/handler-registry.js';
import type { Entry } from '../reading/entry.js';
import { threadConsumer } from '../redis/group.js';
import type { Evidence, Outcome } from '../settling/outcome.js';
import { aftermathOf, type End } from '../supervisor/aftermath.js';
import type { HeldEntry } from '../thread/thread-protocol.js';
import type { CrashOf, FaultPlan } from './fault-plan.js';
import { MemoryOutcomeSink } from './memory-outcome-sink.js';
import type { RunLog, TestRun } from './run-log.js';
import { type ModelLane, TestThread, type ThreadHooks, type ThreadPlan } from './test-thread.js';

/** A process with its one thread. A frozen one is replaced by another, and once thawed only finishes. */
interface Seat {
  readonly processName: string;
  thread: TestThread;
  frozen: boolean;
  retired: boolean;
  /** What its dead thread held is being settled; until then it has no other. */
  mending: boolean;
  thaw: () => void;
}

/** Never settles: the result of a handler whose thread is gone. */
const NEVER = new Promise<never>(() => undefined);

/** Evidence in the name of those who could not give any. */
const PROCESS_DIED: Evidence = { name: 'ProcessDied', message: 'the process died while it ran', stack: '' };

/**
 * A consumer of one group: what supervisor.ts and thread-pool.ts are on a real Redis, and the processes that take the
 * place of those that die.
 */
export class TestConsumer implements ThreadHooks {
  readonly log: RunLog;
  readonly #plan: ThreadPlan;
  readonly #faults: FaultPlan;
  readonly #runs = new WeakMap<Entry, TestRun>();
  /** By the task that the process froze with. */
  readonly #frozenWith = new Map<string, Seat>();
  #seats: Seat[] = [];
  #processes = 0;

  constructor(plan: ThreadPlan, faults: FaultPlan, log: RunLog) {
    this.log = log;
    this.#plan = plan;
    this.#faults = faults;
    this.#addProcess();
  }

  get lanes(): readonly ModelLane[] {
    return this.#plan.lanes;
  }

  /** Everything has been read and settled. */
  get drained(): boolean {
    return (
      this.lanes.every(({ group }) => group.drained) &&
      this.#seats.every(({ thread, mending }) => thread.empty && !mending)
    );
  }

  /** Whether handlers run that may settle at any time. */
  get running(): boolean {
    return this.#seats.some(({ thread }) => thread.running);
  }

  /** The next moment after now at which something will happen by itself. */
  get nextAt(): number | undefined {
    const attended = new Set<string>();
    for (const seat of this.#awake()) attended.add(seat.thread.consumer);
    const moments = [
      ...this.#awake().map(({ thread }) => thread.nextDeadline),
      ...this.lanes.map(({ group }) => group.nextAt(this.#leaseMs, (consumer) => !attended.has(consumer))),
    ].filter((at) => at !== undefined);
    return moments.length === 0 ? undefined : Math.min(...moments);
  }

  /** Does what can be done now. */
  work(): void {
    this.#seats = this.#seats.filter(({ retired, thread }) => !retired || !thread.empty);
    for (const { thread, retired } of this.#awake()) {
      thread.sweep();
      if (!retired) thread.work();
    }
  }

  /** After time has passed: renews what is held, takes over what is not. */
  lookAfterLeases(): void {
    if (this.#plan.connection.away) return;
    for (const { thread } of this.#awake()) thread.renew();
    for (const { group } of this.lanes) {
      const { freed, lost } = group.recover(this.#leaseMs);
      const stream = group.stream.name;
      for (const [from, count] of freed) this.#plan.report({ type: 'tasks-taken-over', stream, from, count });
      if (lost.length > 0) this.#plan.report({ type: 'tasks-lost', stream, entryIds: lost });
      if (freed.size + lost.length > 0) this.#plan.progressed();
    }
  }

  run(
    thread: TestThread,
    entry: Entry,
    handler: LoadedHandler,
    task: Task,
    context: HandlerContext,
  ): unknown {
    if (this.log.full) return NEVER; // the simulation sees to it
    const { stream } = entry.lane.keys;
    const run = this.log.begin(stream, entry.id, task, thread.consumer, this.#plan.clock.now);
    this.#runs.set(entry, run);
    this.#plan.progressed();
    this.#thawWhoFrozeWith(task.id);
    const observed: HandlerContext = {
      get signal() {
        run.signal = context.signal;
        return context.signal;
      },
    };
    const dies = this.#faults.takeCrash(task.id, 'called');
    const diesSoon = this.#faults.takeCrash(task.id, 'running');
    if (dies !== undefined || diesSoon !== undefined) {
      callForNothing(() => handler.run(task, observed));
      if (dies !== undefined) this.#crash(thread, dies);
      else if (diesSoon !== undefined) setImmediate(() => this.#crash(thread, diesSoon));
      return NEVER;
    }
    if (this.#faults.takeFreeze(task.id)) this.#freeze(thread, task.id);
    return handler.run(task, observed);
  }

  decided(thread: TestThread, entry: Entry, outcome: Outcome): boolean {
    const crash = outcome.kind === 'done' ? this.#faults.takeCrash(entry.taskId, 'settling') : undefined;
    if (crash === 'process') {
      this.#crash(thread, crash);
      return false;
    }
    const run = this.#runs.get(entry);
    if (run !== undefined) this.#end(run, outcome);
    // Once the board has the outcome, which the supervisor then writes, and before the thread writes it.
    if (crash === 'thread') queueMicrotask(() => this.#crash(thread, crash));
    return true;
  }

  fenced(thread: TestThread, entryId: string): void {
    for (const { keys } of this.lanes) {
      const late = this.log.of(keys.stream, entryId).findLast((run) => run.consumer === thread.consumer);
      if (late !== undefined) late.fenced = true;
    }
  }

  get #leaseMs(): number {
    return Math.ceil(this.#plan.options.leaseSeconds * 1000);
  }

  /** Those that do anything at the moment. */
  #awake(): Seat[] {
    return this.#seats.filter(({ frozen, mending }) => !frozen && !mending);
  }

  #addProcess(): void {
    this.#processes += 1;
    const processName = `test:${this.#processes}`;
    this.#seats.push({
      processName,
      thread: this.#newThread(processName),
      frozen: false,
      retired: false,
      mending: false,
      thaw: () => undefined,
    });
  }

  #newThread(processName: string): TestThread {
    return new TestThread(threadConsumer(processName, 0), this.#plan, this);
  }

  #end(run: TestRun, outcome: Outcome): void {
    run.endedAt = this.#plan.clock.now;
    if (outcome.kind === 'done') run.end = 'resolved';
    else {
      run.end = outcome.evidence.name === 'TaskTimeout' ? 'timed-out' : 'failed';
      run.error = outcome.evidence;
    }
  }

  #crash(thread: TestThread, of: CrashOf): void {
    const seat = this.#seats.find((one) => one.thread === thread);
    if (seat === undefined || thread.dead) return;
    const { held } = thread;
    thread.die();
    this.#plan.progressed();
    for (const entry of held) {
      if (entry.state === 'running') this.#endByCrash(entry, PROCESS_DIED);
    }
    if (of === 'process') {
      this.#seats = this.#seats.filter((one) => one !== seat);
      this.#addProcess();
      return;
    }
    seat.mending = true;
    const end: End = { kind: 'died', detail: 'exit code 1' };
    this.#plan.report({
      type: 'thread-replaced',
      thread: 0,
      reason: 'died',
      detail: end.detail,
      held: held.length,
    });
    void this.#mend(seat, held, end);
  }

  /** What aftermath-writer.ts does: settles what a dead thread held, and puts another in its place. */
  async #mend(seat: Seat, held: readonly HeldEntry[], end: End): Promise<void> {
    const { consumer, policies } = seat.thread;
    const { groups, connection, random } = this.#plan;
    const alive = { consumer, dead: false, thawed: Promise.resolve() };
    const sink = new MemoryOutcomeSink(groups, connection, alive);
    for (const [index, aftermath] of aftermathOf(held, end, policies, random)) {
      const { keys } = this.lanes[index] as ModelLane; // the lanes of the thread
      const { done, toPark, toBury, toRelease } = aftermath;
      for (const { id, error } of toPark) this.#explainCrash(keys.stream, id, evidenceFrom(error));
      for (const { id, outcome } of toBury) this.#explainCrash(keys.stream, id, outcome.evidence);
      for (const write of [
        () => sink.acknowledge(keys, done),
        () => sink.park(keys, toPark),
        () => sink.bury(keys, toBury),
        () => sink.release(keys, toRelease),
      ]) {
        while (
          !(await write().then(
            () => true,
            () => false,
          ))
        )
          await sink.untilWorthTrying();
      }
    }
    seat.thread = this.#newThread(seat.processName);
    seat.mending = false;
    this.#plan.progressed();
  }

  #endByCrash({ id, lane }: HeldEntry, error: Evidence): void {
    const run = this.#lastRunOf((this.lanes[lane] as ModelLane).keys.stream, id);
    if (run === undefined) return;
    run.endedAt = this.#plan.clock.now;
    run.end = 'crashed';
    run.error = error;
  }

  #explainCrash(stream: string, id: string, error: Evidence): void {
    const run = this.#lastRunOf(stream, id);
    if (run?.end === 'crashed') run.error = error;
  }

  #lastRunOf(stream: string, entryId: string): TestRun | undefined {
    return this.log.of(stream, entryId).at(-1);
  }

  /** The process stands still; another takes its place. */
  #freeze(thread: TestThread, taskId: string): void {
    const seat = this.#seats.find((one) => one.thread === thread);
    if (seat === undefined) return;
    seat.frozen = true;
    thread.thawed = new Promise((resolve) => {
      seat.thaw = resolve;
    });
    thread.drop();
    this.#frozenWith.set(taskId, seat);
    this.#addProcess();
  }

  /** As late as it can be: the task has just begun to run elsewhere. */
  #thawWhoFrozeWith(taskId: string): void {
    const seat = this.#frozenWith.get(taskId);
    if (seat === undefined) return;
    this.#frozenWith.delete(taskId);
    seat.frozen = false;
    seat.retired = true;
    seat.thaw();
    // Once the new run has its entry: whether a lease is lost is seen by who holds it.
    queueMicrotask(() => seat.thread.renew());
  }
}

/** Calls a handler whose outcome nobody will hear of. */
function callForNothing(call: () => unknown): void {
  try {
    Promise.resolve(call()).catch(() => undefined);
  } catch {
    // As above.
  }
}

/** Takes apart again what aftermath.ts says of a crash. */
function evidenceFrom(error: string): Evidence {
  const colon = error.indexOf(': ');
  return { name: error.slice(0, colon), message: error.slice(colon + 2), stack: '' };
}

import { type DataOf, type DEFAULT_TASK_TYPE, SluiceError, type TaskType } from '@sluice/contract';
import type { LoadedHandler } from '../handlers/handler-registry.js';
import type { Appended, MemoryRedis } from './memory-redis.js';
import type { RunLog, TestRun } from './run-log.js';
import type { Simulation } from './simulation.js';
import { type AddOptions, entryOf, messageOf } from './task-message.js';
import type { TestFaults } from './test-faults.js';
import type { TestGroupOptions } from './test-options.js';
import { type DeadLetter, TestTask } from './test-task.js';
import type { ModelLane } from './test-thread.js';

/** Virtual time that a drain may take. */
const WITHIN_MS = 30 * 24 * 3_600_000;

/** Unfinished tasks that an error names. */
const MOST_NAMED = 20;

/** A queue in memory, and the consumers of one group. Made by `createTestQueue`. */
export class TestQueue {
  /** What can be made to go wrong. */
  readonly faults: TestFaults;
  readonly #redis: MemoryRedis;
  readonly #simulation: Simulation;
  readonly #lanes: readonly ModelLane[];
  readonly #handlers: ReadonlyMap<string, LoadedHandler>;
  readonly #log: RunLog;
  readonly #join: (options: TestGroupOptions) => Promise<TestQueue>;

  constructor(parts: {
    redis: MemoryRedis;
    simulation: Simulation;
    lanes: readonly ModelLane[];
    handlers: ReadonlyMap<string, LoadedHandler>;
    log: RunLog;
    faults: TestFaults;
    join: (options: TestGroupOptions) => Promise<TestQueue>;
  }) {
    this.faults = parts.faults;
    this.#redis = parts.redis;
    this.#simulation = parts.simulation;
    this.#lanes = parts.lanes;
    this.#handlers = parts.handlers;
    this.#log = parts.log;
    this.#join = parts.join;
  }

  /** Adds a task, as `POST /tasks/{type}` does. It does not run yet. */
  add<T extends TaskType>(type: T, data: DataOf<T>, options?: AddOptions): TestTask;
  /** Adds a task by the name of its type; `default` is that of tasks without a type. */
  add(type: typeof DEFAULT_TASK_TYPE | (string & {}), data: unknown, options?: AddOptions): TestTask;
  /**
   * @throws SluiceError `VALIDATION_ERROR` when the data does not match the schema of the type;
   * `UNKNOWN_TASK_TYPE` when there is no handler for it
   */
  add(type: TaskType | string, data: unknown, options: AddOptions = {}): TestTask {
    const name = typeof type === 'string' ? type : type.name;
    const message = messageOf(type, this.#handlerOf(name), data, options, this.now);
    return this.#taskOf(this.#redis.append(message.task_id, name, entryOf(message)));
  }

  /**
   * Appends an entry with just these fields to the stream of a type, as a broken producer would.
   *
   * @throws SluiceError `UNKNOWN_TASK_TYPE` when there is no handler for the type, and so nobody reads its stream
   */
  addEntry(type: string, fields: Readonly<Record<string, string | Buffer>>): TestTask {
    this.#handlerOf(type);
    return this.#taskOf(this.#redis.append(String(fields.task_id ?? ''), type, entryOf(fields)));
  }

  /**
   * Works everything off: runs what is due, then lets time pass to whatever is due next, until all tasks of all
   * groups are done or dead. Handlers that wait for something real are waited for.
   *
   * @param options.withinMs virtual time it may take. @default 30 days
   * @throws SluiceError `NOT_DRAINED` naming the tasks that are left and their states
   */
  async drain({ withinMs = WITHIN_MS }: { withinMs?: number } = {}): Promise<void> {
    const why = await this.#simulation.drain(withinMs);
    if (why !== undefined) throw this.#notDrained(why);
  }

  /** Lets time pass. What is due meanwhile happens when it is due: retries, timeouts, take-overs. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && Number.isFinite(ms))) {
      throw new SluiceError('INVALID_OPTIONS', `cannot advance by ${ms} ms; allowed: 0 or more`);
    }
    const why = await this.#simulation.advance(ms);
    if (why !== undefined) throw this.#notDrained(why);
  }

  /** Runs what is due now; no time passes. */
  async runDue(): Promise<void> {
    const why = await this.#simulation.runDue();
    if (why !== undefined) throw this.#notDrained(why);
  }

  /** Lets another group read the same streams, from their beginning. It is drained together with this one. */
  join(options: TestGroupOptions): Promise<TestQueue> {
    return this.#join(options);
  }

  /** Virtual milliseconds since 1970. */
  get now(): number {
    return this.#simulation.clock.now;
  }

  /** All tasks that were added for the types of this group, in that order. */
  get tasks(): readonly TestTask[] {
    return this.#redis.appended
      .filter(({ type }) => this.#handlers.has(type))
      .map((one) => this.#taskOf(one));
  }

  /** The first task with this id, seen from this group. */
  task(id: string): TestTask | undefined {
    return this.tasks.find((task) => task.id === id);
  }

  /** Every call of a handler of this group, in the order in which they began. */
  get runs(): readonly TestRun[] {
    return this.#log.runs;
  }

  /** The dead-letter stream, the oldest first: of all groups, told apart by the field `group`. */
  get deadLetters(): readonly DeadLetter[] {
    return [...this.#redis.deadLetters.entries()].map(([, fields]) => {
      const letter: Record<string, string> = {};
      for (let i = 0; i + 1 < fields.length; i += 2) letter[String(fields[i])] = String(fields[i + 1]);
      return letter;
    });
  }

  /** What this group has counted, as in the ledger in Redis: done, dead, retried, … over all its types. */
  get ledger(): Readonly<Record<string, number>> {
    const ledger: Record<string, number> = {};
    for (const { group } of this.#lanes) {
      for (const [what, count] of Object.entries(group.ledger)) ledger[what] = (ledger[what] ?? 0) + count;
    }
    return ledger;
  }

  /** Entries in the streams of this group: what is not settled, or not by all groups. */
  get backlog(): number {
    return this.#lanes.reduce((sum, { group }) => sum + group.stream.length, 0);
  }

  #taskOf({ taskId, type, stream, entryId }: Appended): TestTask {
    const lane = this.#lanes.find(({ group }) => group.stream === stream) as ModelLane; // there is a handler
    return new TestTask(taskId, type, entryId, lane.group, this.#log, () => this.deadLetters);
  }

  #handlerOf(type: string): LoadedHandler {
    const handler = this.#handlers.get(type);
    if (handler !== undefined) return handler;
    const known = [...this.#handlers.keys()].join(', ');
    throw new SluiceError('UNKNOWN_TASK_TYPE', `no handler for task type "${type}"; there are: ${known}`);
  }

  #notDrained(why: string): SluiceError {
    const left = this.tasks.filter(({ state }) => !['done', 'dead', 'lost'].includes(state));
    const lines = left
      .slice(0, MOST_NAMED)
      .map((task) => `  ${task.type} ${task.id}: ${this.#whereabouts(task)}`);
    if (left.length > MOST_NAMED) lines.push(`  and ${left.length - MOST_NAMED} more`);
    const away = this.#redis.connection.away ? ', and Redis is away' : '';
    const group = this.#lanes[0]?.group.name ?? '';
    const heading = `the queue cannot be drained: ${why}${away}; group "${group}" has left`;
    return new SluiceError('NOT_DRAINED', `${heading} ${left.length} tasks:\n${lines.join('\n')}`);
  }

  #whereabouts({ state, attempts, dueAt, failures }: TestTask): string {
    const due = dueAt === undefined ? '' : `, due in ${Math.max(0, dueAt - this.now)} ms`;
    const last = failures.at(-1);
    const failed = last === undefined ? '' : `, failed with ${last.name}: ${last.message.slice(0, 200)}`;
    return `${state} after ${attempts} runs${due}${failed}`;
  }
}

import type { Script } from '../handlers/script.js';

/** What a target is started with: options of a consumer, and how it is to be run. */
export interface TargetOptions {
  readonly threads?: number;
  readonly maxAttempts?: number;
  readonly maxCrashes?: number;
  readonly taskTimeoutSeconds?: number;
  readonly backoffBaseSeconds?: number;
  readonly backoffMaxSeconds?: number;
  readonly maxConcurrentTasks?: number;
  /** Short where a task is to be taken over, or takes longer. */
  readonly leaseSeconds?: number;
  /** The consumer is a process of its own, which is replaced when it dies. */
  readonly process?: true;
}

/** What a test task does; where its handler writes is the target's business. */
export type Instructions = Omit<Script, 'journal'>;

/** A run of a handler. */
export interface Run {
  readonly taskId: string;
  readonly attempt: number;
  /** Milliseconds of the target's clock. */
  readonly startedAt: number;
}

/** What can go wrong while the outcomes of the tasks that run are written. */
export type WriteFault =
  /** Redis does what it is asked, and its reply is lost. */
  | 'replies-lost'
  /** Redis is gone, and comes back. */
  | 'redis-away'
  /** Redis refuses to write, and then no longer. */
  | 'writes-refused';

/** With the handler just called, or when it is through and Redis is not told yet. */
export type CrashWhen = 'called' | 'settling';

export type FinalState = 'done' | 'dead' | 'lost' | 'open';

/**
 * A queue with a consumer of the group `processors`, whatever it runs on. What the conformance suite knows of it.
 * Handlers are those of `../handlers`: `scripted` for untyped tasks, `measured` and `choosy`.
 */
export interface ConformanceTarget {
  /** Adds a task that follows instructions, and returns its id. */
  add(instructions?: Instructions, id?: string): Promise<string>;
  /** Adds a task of a type, with any data. The handler is told where to write. */
  addTyped(type: 'measured' | 'choosy', data: Record<string, unknown>): Promise<string>;
  /** Appends an entry as it is. */
  addEntry(type: string, fields: Readonly<Record<string, string>>): Promise<void>;
  /** Adds a task that brings down what it runs in, the first few times that it runs. */
  addCrashing(of: 'thread' | 'process', times: number, when?: CrashWhen): Promise<string>;
  /** Adds a task whose process freezes while it runs it, and thaws when the task runs elsewhere. Needs `process`. */
  addFreezing(instructions: Instructions): Promise<string>;
  /** Has another group read the queue too. Before anything is added. */
  join(group: string): Promise<void>;
  /** Lets something go wrong when the tasks that were added, and take a while, are through. */
  strike(fault: WriteFault): Promise<void>;
  /** Waits until a task waits for its next attempt. */
  untilParked(id: string): Promise<void>;
  /** Deletes the entry of a task, as nobody should. */
  deleteEntry(id: string): Promise<void>;
  /** Waits until all groups have settled everything. */
  drained(): Promise<void>;
  /** In the order in which they began, over all groups. */
  runs(): Promise<readonly Run[]>;
  state(id: string): Promise<FinalState>;
  deadLetters(): Promise<readonly Readonly<Record<string, string>>[]>;
  ledger(group?: string): Promise<Readonly<Record<string, number>>>;
  /** Entries appended so far, and entries that are in the streams now. */
  entries(): Promise<{ appended: number; left: number }>;
  /** Names of the reasons of the signals that handlers saw abort. */
  aborted(): Promise<readonly string[]>;
  /** Late outcomes that were fenced off. */
  fenced(): Promise<number>;
}

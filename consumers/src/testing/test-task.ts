import { SUSPECT_CRASHES } from '../reading/retries.js';
import type { Evidence } from '../settling/outcome.js';
import type { MemoryGroup } from './memory-group.js';
import type { RunLog, TestRun } from './run-log.js';

/** Where a task is, in the words of docs/task-states.md. */
export type TaskState = 'waiting' | 'running' | 'parked' | 'suspect' | 'done' | 'dead' | 'lost';

/** A dead letter: the fields of the entry in `tasks:dlq`, the original ones and those that say what happened. */
export type DeadLetter = Readonly<Record<string, string>>;

/** A task in a test queue, seen from the group of that queue. What it says changes as the queue is worked off. */
export class TestTask {
  readonly id: string;
  readonly type: string;
  /** Its id in the stream. */
  readonly entryId: string;
  readonly #group: MemoryGroup;
  readonly #log: RunLog;
  readonly #deadLetters: () => readonly DeadLetter[];

  constructor(
    id: string,
    type: string,
    entryId: string,
    group: MemoryGroup,
    log: RunLog,
    deadLetters: () => readonly DeadLetter[],
  ) {
    this.id = id;
    this.type = type;
    this.entryId = entryId;
    this.#group = group;
    this.#log = log;
    this.#deadLetters = deadLetters;
  }

  /** `parked` is waiting for its next attempt, `dead` is in the dead-letter stream. */
  get state(): TaskState {
    return this.#group.stateOf(this.entryId, SUSPECT_CRASHES);
  }

  /** Every time its handler was called, the first first. */
  get runs(): readonly TestRun[] {
    return this.#log.of(this.#group.stream.name, this.entryId);
  }

  /** When it was added, in virtual milliseconds since 1970. */
  get addedAt(): number {
    return Number.parseInt(this.entryId, 10); // an entry id is the time and a number
  }

  /** How often its handler was called. */
  get attempts(): number {
    return this.runs.length;
  }

  /** What its runs failed with, the first first; crashes are not among them. */
  get failures(): readonly Evidence[] {
    return this.runs.flatMap(({ end, error }) => (error !== undefined && end !== 'crashed' ? [error] : []));
  }

  /** How many of its runs ended with their thread or process. */
  get crashes(): number {
    return this.runs.filter(({ end }) => end === 'crashed').length;
  }

  /** When it is due, in virtual milliseconds since 1970, while it is parked. */
  get dueAt(): number | undefined {
    return this.#group.dueAt(this.entryId);
  }

  /** Its dead letter, once it is dead. */
  get deadLetter(): DeadLetter | undefined {
    const { name, stream } = this.#group;
    return this.#deadLetters().find(
      (letter) =>
        letter.source_id === this.entryId && letter.source_stream === stream.name && letter.group === name,
    );
  }
}

import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  createTestQueue,
  type TestGroupOptions,
  type TestQueue,
  type TestTask,
} from '@sluice/consumers/testing';
import { waitFor } from '@sluice/testbed';
import type { JournalLine } from '../handlers/script.js';
import type {
  ConformanceTarget,
  CrashWhen,
  FinalState,
  Instructions,
  Run,
  TargetOptions,
  WriteFault,
} from './target.js';

const HANDLERS = {
  default: new URL('../handlers/scripted.js', import.meta.url),
  measured: new URL('../handlers/measured.js', import.meta.url),
  choosy: new URL('../handlers/choosy.js', import.meta.url),
};

/** The same options as on a real Redis, but that some of them would not be needed here. */
const QUICK = { backoffBaseSeconds: 0.05, backoffJitter: 0, leaseSeconds: 5 };

/** Virtual time within which a queue must be drained. Broken ones are not to go on for a month. */
const WITHIN_MS = 3_600_000;

/** Far more than any promise takes. */
const MOST_RUNS = 2000;

/** The test mode of `@sluice/consumers/testing`. */
class MemoryTarget implements ConformanceTarget {
  readonly #queue: TestQueue;
  readonly #journal: string;
  readonly #options: TestGroupOptions;
  readonly #groups = new Map<string, TestQueue>();
  #added = 0;

  constructor(queue: TestQueue, journal: string, options: TestGroupOptions) {
    this.#queue = queue;
    this.#journal = journal;
    this.#options = options;
  }

  async add(instructions: Instructions = {}, id?: string): Promise<string> {
    return this.#add(instructions, id).id;
  }

  async addTyped(type: 'measured' | 'choosy', data: Record<string, unknown>): Promise<string> {
    this.#added += 1;
    return this.#queue.add(type, { journal: this.#journal, ...data }).id;
  }

  async addEntry(type: string, fields: Readonly<Record<string, string>>): Promise<void> {
    this.#added += 1;
    this.#queue.addEntry(type, fields);
  }

  async addCrashing(of: 'thread' | 'process', times: number, when: CrashWhen = 'called'): Promise<string> {
    const task = this.#add(when === 'called' ? { do: 'never-settle', until: times } : {});
    this.#queue.faults.crash(task, { of, times, when });
    return task.id;
  }

  async addFreezing(instructions: Instructions): Promise<string> {
    const task = this.#add(instructions);
    this.#queue.faults.freeze(task);
    return task.id;
  }

  async join(group: string): Promise<void> {
    this.#groups.set(group, await this.#queue.join({ ...this.#options, group }));
  }

  async strike(fault: WriteFault): Promise<void> {
    const { faults } = this.#queue;
    const running = this.#queue.runDue();
    await waitFor(() => this.#queue.runs.length >= this.#added, { timeoutMs: 20_000, what: 'all to run' });
    if (fault === 'replies-lost') faults.loseReplies();
    else if (fault === 'redis-away') faults.redisAway(10_000);
    else faults.refuseWrites(5);
    await running;
  }

  async untilParked(id: string): Promise<void> {
    await this.#queue.runDue();
    if (this.#queue.task(id)?.state !== 'parked') throw new Error(`${id} is ${this.#queue.task(id)?.state}`);
  }

  async deleteEntry(id: string): Promise<void> {
    const task = this.#queue.task(id);
    if (task !== undefined) this.#queue.faults.deleteEntry(task);
  }

  async drained(): Promise<void> {
    await this.#queue.drain({ withinMs: WITHIN_MS });
  }

  async runs(): Promise<readonly Run[]> {
    const all = [this.#queue, ...this.#groups.values()].flatMap((queue) => queue.runs);
    return all.sort((a, b) => a.startedAt - b.startedAt);
  }

  async state(id: string): Promise<FinalState> {
    const state = this.#queue.task(id)?.state;
    return state === 'done' || state === 'dead' || state === 'lost' ? state : 'open';
  }

  async deadLetters(): Promise<readonly Readonly<Record<string, string>>[]> {
    return this.#queue.deadLetters;
  }

  async ledger(group?: string): Promise<Readonly<Record<string, number>>> {
    return (group === undefined ? this.#queue : this.#groups.get(group))?.ledger ?? {};
  }

  async entries(): Promise<{ appended: number; left: number }> {
    return { appended: this.#added, left: this.#queue.backlog };
  }

  async aborted(): Promise<readonly string[]> {
    if (!existsSync(this.#journal)) return [];
    const lines = readFileSync(this.#journal, 'utf8').split('\n');
    const noted = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JournalLine);
    return noted.filter(({ event }) => event === 'aborted').map(({ reason = '' }) => reason);
  }

  async fenced(): Promise<number> {
    return this.#queue.runs.filter((run) => run.fenced).length;
  }

  #add(instructions: Instructions, id?: string): TestTask {
    this.#added += 1;
    const data = { journal: this.#journal, ...instructions };
    return this.#queue.add('default', data, id === undefined ? {} : { id });
  }
}

/** A target without Redis. */
export async function memoryTarget(
  t: TestContext,
  { threads, process, ...options }: TargetOptions,
  broken?: string,
): Promise<ConformanceTarget> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-conformance-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const all = {
    handlers: HANDLERS,
    ...QUICK,
    ...options,
    ...(broken && { [Symbol.for('sluice.break')]: broken }),
  };
  return new MemoryTarget(
    await createTestQueue({ ...all, maxRuns: MOST_RUNS }),
    join(folder, 'journal'),
    all,
  );
}

import type { Exit, RunningProcess } from '@sluice/testbed';
import { monotonicMs } from './monotonic.js';

/** Wait before the place of a process that has ended is filled again, as an orchestrator would. */
const RESTART_MS = 100;
/** Enough for a soak of a day; without a limit a consumer that cannot start would be started for ever. */
const MOST_STARTS = 1500;

interface Member {
  readonly process: RunningProcess;
  ready: boolean;
}

/** A number of consumer processes; one that ends is replaced. */
export class Fleet {
  readonly exits: ({ pid: number } & Exit)[] = [];
  readonly #start: () => RunningProcess;
  readonly #everStarted: RunningProcess[] = [];
  readonly #members = new Set<Member>();
  #closing = false;

  constructor(start: () => RunningProcess, count: number) {
    this.#start = start;
    for (let i = 0; i < count; i++) this.#add();
  }

  /** Resolves when all that have been started are ready. */
  async ready(): Promise<void> {
    await Promise.all([...this.#members].map((member) => member.process.ready));
  }

  /** The processes that work. */
  get working(): RunningProcess[] {
    return [...this.#members].filter((member) => member.ready).map((member) => member.process);
  }

  /** What they have written, those that have ended included. */
  get output(): string {
    return this.#everStarted.map((process) => process.output()).join('\n');
  }

  /** Kills one of those that work, at random, and waits for its end; nothing when none works just now. */
  async killOne(): Promise<{ pid: number; at: number } | undefined> {
    const { working } = this;
    const victim = working[Math.floor(Math.random() * working.length)];
    if (victim === undefined) return undefined;
    const at = monotonicMs();
    victim.signal('SIGKILL');
    await victim.exited;
    return { pid: victim.pid, at };
  }

  /** Ends all. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(
      [...this.#members].map(({ process }) => {
        process.signal('SIGKILL');
        return process.exited;
      }),
    );
  }

  #add(): void {
    if (this.#closing || this.#everStarted.length >= MOST_STARTS) return;
    const member: Member = { process: this.#start(), ready: false };
    this.#everStarted.push(member.process);
    this.#members.add(member);
    member.process.ready.then(
      () => {
        member.ready = true;
      },
      () => {}, // its exit is what counts
    );
    void member.process.exited.then((exit) => {
      this.#members.delete(member);
      this.exits.push({ pid: member.process.pid, ...exit });
      setTimeout(() => this.#add(), RESTART_MS);
    });
  }
}

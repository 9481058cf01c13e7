import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '@sluice/testbed';
import { taskIdOf } from '../append-tasks.js';
import type { Arena } from '../arena.js';
import type { Fleet } from '../fleet.js';
import { monotonicMs } from '../monotonic.js';
import { exactly, type Finding, type Scenario, stated, within } from '../scenario.js';
import { longestSlump } from '../slump.js';
import type { Deed, Work } from '../work.js';

const MAX_ATTEMPTS = 3;
const NEIGHBOURS_PER_SECOND = 100;
const NEIGHBOUR_MS = 20;
const BACK_WITHIN_S = 2;
/**
 * Nobody but a process that has died is to lose what it runs: on a busy machine others may be kept from renewing their leases
 * for a second, and a run that is taken over from them is one more.
 */
const LEASE_S = 10;
const LEASE_OF_THE_DEAD_S = 1;
/** Runs after which it is clear that there will be no end to them. */
const ENOUGH_RUNS = 3 * MAX_ATTEMPTS;
const GIVE_UP_MS = 60_000;

const THROWING: readonly Deed[] = [
  'throw-null',
  'throw-string',
  'throw-circular',
  'throw-bigint',
  'never-settle',
  'abort',
];
const KILLING: readonly Deed[] = ['exit', 'loop', 'exhaust-heap', 'unhandled-rejection', 'kill-process'];

/** Tasks that throw what nobody expects, or bring down their thread or process, among tasks that are well. */
export const poisonIsIsolated: Scenario = {
  name: 'poison-is-isolated',
  promise:
    'poison runs MAX_ATTEMPTS times and is then one dead letter with evidence; its neighbours lose no attempt',
  controls: { 'no-attempt-count': 'failed attempts are forgotten' },
  async run(arena) {
    // Killing deeds each alone, so that one can tell whose doing it was; the others do not get in each other's way.
    const killing = arena.broken === undefined ? arena.pick<Deed>(['loop', 'kill-process'], KILLING) : [];
    const rounds = [THROWING, ...killing.map((deed) => [deed])];
    const findings: Finding[] = [];
    let next = 0;
    for (const deeds of rounds) {
      const round = new PoisonRound(arena, deeds, next);
      findings.push(...(await round.run()));
      next = round.next;
      arena.progress(`${deeds.join(', ')}: seen`);
    }
    return findings;
  },
};

/** Some poison among a steady flow of neighbours, on consumers of its own. */
class PoisonRound {
  /** Number of the next task. */
  next: number;
  readonly #arena: Arena;
  readonly #poison: Work[];
  /** When neighbours were appended. */
  readonly #appendedAt = new Map<string, number>();
  #flowing = true;

  constructor(arena: Arena, deeds: readonly Deed[], first: number) {
    this.#arena = arena;
    this.#poison = deeds.map((deed, i) => ({ n: first + i, do: deed }));
    this.next = first + deeds.length;
  }

  async run(): Promise<Finding[]> {
    const arena = this.#arena;
    const fleet = await arena.fleet(2, {
      threads: 1,
      leaseSeconds: this.#poison.some((one) => one.do === 'kill-process') ? LEASE_OF_THE_DEAD_S : LEASE_S,
      taskTimeoutSeconds: 0.5,
      threadHeapMb: 64,
      backoffBaseSeconds: 0.1,
      maxAttempts: MAX_ATTEMPTS,
      maxCrashes: MAX_ATTEMPTS,
    });
    const flowing = this.#flow();
    await pause(500); // a steady flow before
    await arena.append(this.#poison);
    const ids = this.#poison.map(({ n }) => taskIdOf(n));
    const over = async (): Promise<boolean> => {
      arena.journal.read();
      if (ids.some((id) => arena.journal.runsOf(id).length >= ENOUGH_RUNS)) return true;
      const buried = new Set((await arena.deadLetters()).map((letter) => letter.task_id));
      return ids.every((id) => buried.has(id));
    };
    await waitFor(over, { timeoutMs: GIVE_UP_MS, what: 'the poison to be dead letters' }).catch(() => {});
    await pause(BACK_WITHIN_S * 1000); // and after
    this.#flowing = false;
    await flowing;
    if (arena.broken === undefined) await arena.settled(10_000);
    const findings = await this.#findings(fleet, ids);
    await fleet.close();
    return findings;
  }

  /** Appends neighbours at a constant rate. */
  async #flow(): Promise<void> {
    const startedAt = monotonicMs();
    for (let sent = 0; this.#flowing; ) {
      const due = Math.floor(((monotonicMs() - startedAt) / 1000) * NEIGHBOURS_PER_SECOND);
      const tasks = Array.from({ length: due - sent }, () => ({ n: this.next++, ms: NEIGHBOUR_MS }));
      sent = due;
      await this.#arena.append(tasks);
      for (const { n } of tasks) this.#appendedAt.set(taskIdOf(n), monotonicMs());
      await pause(20);
    }
  }

  async #findings(fleet: Fleet, ids: readonly string[]): Promise<Finding[]> {
    const { journal } = this.#arena;
    const letters = await this.#arena.deadLetters();
    const findings: Finding[] = [];
    for (const [i, id] of ids.entries()) {
      const deed = this.#poison[i]?.do;
      const own = letters.filter((letter) => letter.task_id === id);
      const [letter] = own;
      const complete =
        letter?.payload === JSON.stringify({ data: this.#poison[i] }) &&
        ![letter.reason, letter.error_name, letter.error_message].includes('');
      findings.push(exactly(`${deed}: runs`, journal.runsOf(id).length, MAX_ATTEMPTS));
      findings.push(exactly(`${deed}: dead letters with payload and evidence`, complete ? own.length : 0, 1));
    }
    const among = ids.length === 1 ? this.#poison[0]?.do : 'throwing';
    const neighbours = [...this.#appendedAt.keys()];
    const undone = neighbours.filter((id) => !journal.ended.has(id));
    const charged = new Set(fleet.output.match(/"type":"task-(?:retried|dead)","taskId":"[^"]+"/g) ?? []);
    const chargedNeighbours = [...charged].filter((text) => !ids.some((id) => text.includes(`"${id}"`)));
    const ends = neighbours.flatMap((id) => journal.runsOf(id)[0]?.endedAt ?? []);
    const slump = longestSlump([...this.#appendedAt.values()], ends);
    return [
      ...findings,
      exactly(`${among}: neighbours not done, of ${neighbours.length}`, undone.length, 0),
      ...undone.map((id) => stated(`${among}: ${id}`, fateOf(letters.find((one) => one.task_id === id)))),
      exactly(`${among}: neighbours charged with an attempt`, chargedNeighbours.length, 0),
      within(`${among}: longest time below half the throughput`, slump / 1000, BACK_WITHIN_S, 's'),
    ];
  }
}

function fateOf(letter: Record<string, string> | undefined): string {
  if (letter === undefined) return 'no dead letter either';
  const { reason, attempts, crashes, error_message } = letter;
  return `dead letter: ${reason}, attempts ${attempts}, crashes ${crashes}: ${error_message}`;
}

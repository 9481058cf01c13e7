import type { Arena } from './arena.js';
import { exactly, type Finding, stated } from './scenario.js';

/** What became of tasks, by their ids. */
export interface Account {
  done: number;
  dead: number;
  /** Neither done nor dead. */
  lost: string[];
  /** Runs beyond the first of each task. */
  duplicates: number;
  /** All runs of the tasks of which a run had no attempt above those that started before it. */
  unrecognisable: string[];
}

/** Tasks that are named one by one. */
const MOST_NAMED = 10;

/** Adds up what became of these tasks. */
export async function accountFor(arena: Arena, taskIds: Iterable<string>): Promise<Account> {
  const journal = arena.journal.read();
  const buried = new Set((await arena.deadLetters()).map((letter) => letter.task_id));
  const account: Account = { done: 0, dead: 0, lost: [], duplicates: 0, unrecognisable: [] };
  for (const taskId of taskIds) {
    if (journal.ended.has(taskId)) account.done += 1;
    else if (buried.has(taskId)) account.dead += 1;
    else account.lost.push(taskId);
    const runs = journal.runsOf(taskId);
    account.duplicates += Math.max(0, runs.length - 1);
    if (runs.some(({ attempt }, i) => i > 0 && attempt <= (runs[i - 1]?.attempt ?? 0))) {
      const started = runs.map(
        ({ attempt, pid, startedAt, endedAt }) =>
          `attempt ${attempt} in process ${pid} from ${startedAt.toFixed()} to ${endedAt?.toFixed() ?? 'never'}`,
      );
      account.unrecognisable.push(`${taskId}: ${started.join(', ')}`);
    }
  }
  return account;
}

/** Whether each run again could be told from the one before. */
export function recognisable({ unrecognisable }: Account): Finding[] {
  return [
    exactly('of these not recognisable by attempt > 1', unrecognisable.length, 0),
    ...unrecognisable.slice(0, MOST_NAMED).map((runs) => stated('not recognisable', runs)),
  ];
}

import type { Arena } from './arena.js';

/** What became of tasks, by their ids. */
export interface Account {
  done: number;
  dead: number;
  /** Neither done nor dead. */
  lost: string[];
  /** Runs beyond the first of each task. */
  duplicates: number;
  /** Of these, those whose attempt does not say that the task ran before. */
  unrecognisable: number;
}

/** Adds up what became of these tasks. */
export async function accountFor(arena: Arena, taskIds: Iterable<string>): Promise<Account> {
  const journal = arena.journal.read();
  const buried = new Set((await arena.deadLetters()).map((letter) => letter.task_id));
  const account: Account = { done: 0, dead: 0, lost: [], duplicates: 0, unrecognisable: 0 };
  for (const taskId of taskIds) {
    if (journal.ended.has(taskId)) account.done += 1;
    else if (buried.has(taskId)) account.dead += 1;
    else account.lost.push(taskId);
    let highest = 0;
    for (const [i, { attempt }] of journal.runsOf(taskId).entries()) {
      if (i > 0) account.duplicates += 1;
      if (i > 0 && attempt <= highest) account.unrecognisable += 1;
      highest = Math.max(highest, attempt);
    }
  }
  return account;
}

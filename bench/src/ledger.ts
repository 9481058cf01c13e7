/** What generator and Redis counted in one round. */
export interface Counts {
  /** 202s that were read. */
  accepted: number;
  /** Most requests that were under way when the load ended: they may or may not have been appended. */
  unanswered: number;
  /** Entries Redis ever added to the stream. */
  entriesAdded: number;
}

/** Why the figures of a round are worthless: a 202 without an entry, or entries nobody can account for. */
export function faultOfLedger({ accepted, unanswered, entriesAdded }: Counts): string | undefined {
  if (entriesAdded < accepted) {
    return `${accepted - entriesAdded} of ${accepted} tasks were answered 202 and are not in the stream`;
  }
  if (entriesAdded > accepted + unanswered) {
    const unexplained = entriesAdded - accepted - unanswered;
    return `${unexplained} entries too many: ${entriesAdded} were added, ${accepted} answered 202, at most ${unanswered} cut off`;
  }
  return undefined;
}

/** What became of the tasks that a queue was filled with, once none is left in it. */
export interface Drained {
  prefilled: number;
  /** As Redis has it. */
  done: number;
  dead: number;
  /** How often a handler was run. */
  runs: number;
}

/** Why the figures of a drained queue are worthless: tasks that vanished, failed, or were settled without being run. */
export function faultOfDrain({ prefilled, done, dead, runs }: Drained): string | undefined {
  if (dead > 0) return `${dead} of ${prefilled} tasks failed`;
  if (done < prefilled)
    return `lost ${prefilled - done} of ${prefilled} tasks: none is left, ${done} are done`;
  if (done > prefilled) return `${done} tasks are done of ${prefilled} there were`;
  if (runs < prefilled) return `${prefilled - runs} of ${prefilled} tasks are done without having been run`;
  return undefined;
}

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

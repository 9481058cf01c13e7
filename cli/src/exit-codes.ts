/** What the exit code of `sluice` says; the same for all commands. */
export const EXIT = {
  /** Done, and nothing wrong was found. */
  ok: 0,
  /** Something is wrong with the queue: lost tasks, failures that came back, a finding of the doctor. */
  found: 1,
  /** The command was not understood, or lacks a confirmation; nothing was done. */
  usage: 2,
  /** Redis cannot be reached or refused, so nothing can be said. */
  unavailable: 3,
} as const;

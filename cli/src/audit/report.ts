/** Where the tasks of a stream, or of all streams, are. All but `duplicated` add up to `accepted`. */
export interface Balance {
  /** Appended for this group or delayed: without what was there before it, and without what was redriven. */
  accepted: number;
  done: number;
  /** Waiting, or running. */
  pending: number;
  /** Delayed and not due yet, or waiting for the time of their next attempt. */
  scheduled: number;
  /** In the dead-letter stream. */
  dead: number;
  /** Given up on purpose: purged dead letters, written-off losses, and what `drop-oldest` has trimmed. */
  dropped: number;
  lost: number;
  /**
   * The most tasks that may have had their effect twice: runs that were cut off, or whose consumer died or froze, and
   * that were run again. Failed attempts and redriven dead letters do not count: those are run again on purpose.
   */
  duplicated: number;
}

/** What an audit has to say besides the figures. */
export interface AuditFinding {
  /** `error`: the audit fails. `note`: worth knowing, and nothing is lost by it. */
  severity: 'error' | 'note';
  code:
    | 'gone-while-pending'
    | 'counted-lost'
    | 'stranded'
    | 'missing'
    | 'surplus'
    | 'unscheduled'
    | 'stream-deleted'
    | 'no-stream'
    | 'dead-letters-missing'
    | 'dead-letters-surplus'
    | 'delayed-lost'
    | 'delayed-without-message'
    | 'delayed-missing'
    | 'delayed-surplus'
    | 'dropped-oldest'
    | 'no-group'
    | 'stale-schedule'
    | 'stale-attempts'
    | 'dead-letters-not-checked';
  /** The key it is about. */
  key: string;
  message: string;
  /** How many tasks it is about. */
  count: number;
  /** Entry ids of the first hundred of them, where they are known; of delayed tasks their task ids. */
  ids: readonly string[];
}

export interface StreamAudit extends Balance {
  stream: string;
  taskType: string;
  /** Groups that read the stream. */
  groups: number;
}

/** The result of `sluice audit`. */
export interface AuditReport {
  /** When the snapshot was taken, by the clock of Redis: ISO 8601 in UTC. */
  at: string;
  streamName: string;
  group: string;
  streams: readonly StreamAudit[];
  total: Balance;
  findings: readonly AuditFinding[];
  /** Every task that was accepted is accounted for, and none is lost or stuck. */
  ok: boolean;
}

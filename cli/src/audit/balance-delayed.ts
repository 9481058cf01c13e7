import type { AuditFinding } from './report.js';
import type { Delayed } from './snapshot.js';

/** Where the delayed tasks of a stream are. */
export interface DelayedBalance {
  /** Accepted, and not in the stream yet, or never to be. */
  readonly accepted: number;
  readonly scheduled: number;
  readonly dropped: number;
  readonly lost: number;
}

/**
 * Balances the schedule of a stream by itself. From the moment a task is promoted, it is one of the stream's.
 *
 * ```
 * scheduled = promoted + lost + written off   what its ledger knows to be over
 *           + waiting                         what has a time
 *           + missing                         the rest; 0 when all is well
 * ```
 */
export function balanceDelayed(delayed: Delayed, findings: AuditFinding[]): DelayedBalance {
  const { ledgerKey, scheduled, promoted, waiting, untimed, unwritten } = delayed;
  const unexplained = scheduled - promoted - delayed.lost - delayed.writtenOff - waiting;
  const missing = Math.max(0, unexplained);
  if (delayed.lost > 0) {
    const message = `${tasks(delayed.lost)} due and had no message any more (the logs of consumers name the ids, event tasks-lost)`;
    findings.push(error('delayed-lost', ledgerKey, message, delayed.lost));
  }
  if (unwritten.count > 0) {
    const message = `${tasks(unwritten.count)} in the schedule without a message: somebody deleted it`;
    findings.push(error('delayed-without-message', ledgerKey, message, unwritten.count, unwritten.ids));
  }
  if (missing > 0) {
    const message =
      untimed.count > 0
        ? `${tasks(missing)} not in the schedule and not promoted; ${untimed.count} still have their message, and no time`
        : `${tasks(missing)} neither in the schedule nor promoted: deleted, or the ledger was changed`;
    findings.push(error('delayed-missing', ledgerKey, message, missing, untimed.ids));
  }
  if (unexplained < 0) {
    const message = `${tasks(-unexplained)} in the schedule beyond what it counts: added by other means, or the ledger was changed`;
    findings.push(error('delayed-surplus', ledgerKey, message, -unexplained));
  }
  const lost = delayed.lost + missing + unwritten.count;
  return {
    accepted: waiting - unwritten.count + delayed.writtenOff + lost,
    scheduled: waiting - unwritten.count,
    dropped: delayed.writtenOff,
    lost,
  };
}

function error(
  code: AuditFinding['code'],
  key: string,
  message: string,
  count: number,
  ids: readonly string[] = [],
): AuditFinding {
  return { severity: 'error', code, key, message, count, ids };
}

function tasks(count: number): string {
  return count === 1 ? '1 delayed task is' : `${count} delayed tasks are`;
}

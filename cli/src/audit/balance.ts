import { isBefore } from '../entry-id.js';
import { balanceDelayed } from './balance-delayed.js';
import type { AuditFinding, AuditReport, Balance, StreamAudit } from './report.js';
import type { Ledger, NamedIds, Snapshot, StreamFacts, StreamSnapshot } from './snapshot.js';

export interface BalanceOptions {
  streamName: string;
  group: string;
  /** The engine runs with `STREAM_OVERFLOW=drop-oldest`: what is missing counts as dropped. */
  dropOldest: boolean;
}

/**
 * Balances a snapshot: every entry that Redis ever added to a stream must be counted as settled by the ledger, or
 * still be there, waiting or pending. For each stream of one group:
 *
 * ```
 * appended = before + done + dead + lost + written off + skipped   what the ledger knows to be over
 *          + waiting + running + parked                            what is in the stream
 *          + gone                                                  pending, and not in the stream
 *          + missing                                               the rest; 0 when all is well
 * ```
 *
 * Delayed tasks come on top of it (`balanceDelayed`). And over all streams and groups: dead = dead letters + redriven + purged.
 */
export function balance(snapshot: Snapshot, options: BalanceOptions): AuditReport {
  const findings: AuditFinding[] = [];
  const streams = snapshot.streams.map((stream) => balanceStream(stream, options, findings));
  if (streams.length === 0) findings.push(noStream(options.streamName));
  const total = sum(streams);
  balanceDeadLetters(snapshot, total, findings);
  return {
    at: new Date(snapshot.at).toISOString(),
    streamName: options.streamName,
    group: options.group,
    streams,
    total,
    findings,
    ok: findings.every((finding) => finding.severity !== 'error'),
  };
}

function balanceStream(
  { stream, taskType, ledgerKey, ledger, facts: seen, delayed }: StreamSnapshot,
  options: BalanceOptions,
  findings: AuditFinding[],
): StreamAudit {
  // The first delayed task makes the stream when it is promoted.
  const isYetToCome = delayed.promoted === 0 && delayed.scheduled > 0;
  if (seen === undefined && !isYetToCome) findings.push(noStream(stream));
  const facts = seen ?? NO_STREAM;
  const before = beforeTheGroup(facts, ledger);
  const over = ledger.done + ledger.dead + ledger.lost + ledger.writtenOff + ledger.skipped;
  const there = facts.waiting + facts.running + facts.parked;
  const unexplained = facts.appended - before - over - there - facts.gone.count;
  const missing = Math.max(0, unexplained);
  const surplus = Math.max(0, -unexplained);
  // Entries that nobody will run are there to be seen, so they have not been trimmed.
  const stranded = Math.min(missing, facts.stranded.count);
  const trimmed = options.dropOldest ? missing - stranded + facts.gone.count + ledger.lost : 0;

  if (trimmed > 0) findings.push(dropped(stream, trimmed));
  else {
    if (ledger.lost > 0) findings.push(countedLost(ledgerKey, ledger.lost));
    if (facts.gone.count > 0) findings.push(goneWhilePending(stream, facts.gone));
    if (missing > stranded) findings.push(missingFrom(stream, missing - stranded, facts));
  }
  if (stranded > 0) findings.push(strandedIn(stream, facts.stranded, options.group));
  if (surplus > 0) findings.push(surplusOf(ledgerKey, surplus, facts.appended));
  if (ledger.streamsDeleted > 0) findings.push(streamDeleted(stream, ledgerKey, ledger.streamsDeleted));
  findings.push(...findingsOfSchedule(stream, facts, options.group));
  const later = balanceDelayed(delayed, findings);

  return {
    stream,
    taskType,
    groups: facts.groups,
    accepted: facts.appended - before - ledger.skipped - ledger.redriven + later.accepted,
    done: ledger.done,
    pending: facts.waiting + facts.running,
    scheduled: facts.parked + later.scheduled,
    dead: ledger.dead - ledger.redriven - ledger.purged,
    dropped: ledger.purged + ledger.writtenOff + trimmed + later.dropped,
    lost: ledger.lost + facts.gone.count + missing - trimmed + later.lost,
    duplicated: ledger.takenOver + ledger.interrupted,
  };
}

const NOBODY: NamedIds = { count: 0, ids: [] };
const NO_STREAM: StreamFacts = {
  appended: 0,
  length: 0,
  groups: 0,
  groupExists: false,
  lastDelivered: '0-0',
  highestDeleted: '0-0',
  waiting: 0,
  running: 0,
  parked: 0,
  oldestDue: undefined,
  overdue: 0,
  gone: NOBODY,
  stranded: NOBODY,
  unscheduled: NOBODY,
  staleSchedule: NOBODY,
  staleAttempts: NOBODY,
};

/** A group that was never there will begin with what is there now, and is told so when it is created. */
function beforeTheGroup(facts: StreamFacts, ledger: Ledger): number {
  const isNew = !facts.groupExists && ledger.done + ledger.dead + ledger.lost + ledger.before === 0;
  return isNew ? facts.appended - facts.length : ledger.before;
}

function balanceDeadLetters(
  { deadLetters, allLedgers }: Snapshot,
  total: Balance,
  findings: AuditFinding[],
): void {
  if (allLedgers === undefined) {
    findings.push({
      severity: 'note',
      code: 'dead-letters-not-checked',
      key: deadLetters.key,
      message:
        'the dead-letter stream belongs to all streams: it is checked only when all of them are audited',
      count: 0,
      ids: [],
    });
    return;
  }
  const expected = allLedgers.reduce((all, { dead, redriven, purged }) => all + dead - redriven - purged, 0);
  const { key, length } = deadLetters;
  if (length < expected) {
    const count = expected - length;
    findings.push({
      severity: 'error',
      code: 'dead-letters-missing',
      key,
      message: `${expected} dead letters by the ledgers and ${length} in the stream: ${count} were removed by other means than sluice dlq`,
      count,
      ids: [],
    });
    // Letters of other groups stand in the same stream; whose they were is not known.
    const ours = Math.min(count, Math.max(0, total.dead));
    total.dead -= ours;
    total.lost += ours;
  } else if (length > expected) {
    const count = length - expected;
    findings.push({
      severity: 'error',
      code: 'dead-letters-surplus',
      key,
      message: `${length} dead letters in the stream and ${expected} by the ledgers: ${count} were not written by consumers, or a ledger was changed`,
      count,
      ids: [],
    });
  }
}

/** Consumers create their streams when they start: one that is not there was never used, or is called otherwise. */
function noStream(stream: string): AuditFinding {
  const message = 'there is no stream of this name: is it the right Redis, and the right --stream?';
  return { severity: 'error', code: 'no-stream', key: stream, message, count: 0, ids: [] };
}

function countedLost(ledgerKey: string, count: number): AuditFinding {
  return {
    severity: 'error',
    code: 'counted-lost',
    key: ledgerKey,
    message: `consumers found ${tasks(count)} pending whose entry was gone from the stream (their logs name the ids, event tasks-lost)`,
    count,
    ids: [],
  };
}

function goneWhilePending(stream: string, { count, ids }: NamedIds): AuditFinding {
  const message = `${tasks(count)} pending whose entry somebody deleted or trimmed`;
  return { severity: 'error', code: 'gone-while-pending', key: stream, message, count, ids };
}

function strandedIn(stream: string, { count, ids }: NamedIds, group: string): AuditFinding {
  const message = `${tasks(count)} in the stream that nobody will run: past what ${group} was given, and pending for nobody (acknowledged by hand, skipped by XGROUP SETID, or owned by a consumer that was deleted)`;
  return { severity: 'error', code: 'stranded', key: stream, message, count, ids };
}

function missingFrom(stream: string, count: number, facts: StreamFacts): AuditFinding {
  const unread = isBefore(facts.lastDelivered, facts.highestDeleted);
  return {
    severity: 'error',
    code: 'missing',
    key: stream,
    message: unread
      ? `${tasks(count)} appended and neither settled nor there; ${facts.highestDeleted} was deleted before anybody had read it`
      : `${tasks(count)} appended and neither settled nor there: deleted or trimmed unread, acknowledged by other means, or the ledger was changed`,
    count,
    ids: unread ? [facts.highestDeleted] : [],
  };
}

function surplusOf(ledgerKey: string, count: number, appended: number): AuditFinding {
  return {
    severity: 'error',
    code: 'surplus',
    key: ledgerKey,
    message: `it counts ${count} more than the ${appended} that were ever appended: the ledger was changed, or the stream was deleted`,
    count,
    ids: [],
  };
}

function streamDeleted(stream: string, ledgerKey: string, count: number): AuditFinding {
  return {
    severity: 'error',
    code: 'stream-deleted',
    key: stream,
    message: `it was deleted ${count === 1 ? 'once' : `${count} times`} and made anew; what was in it nobody knows (field streams_deleted of ${ledgerKey})`,
    count,
    ids: [],
  };
}

function dropped(stream: string, count: number): AuditFinding {
  return {
    severity: 'note',
    code: 'dropped-oldest',
    key: stream,
    message: `${tasks(count)} missing, counted as trimmed by drop-oldest`,
    count,
    ids: [],
  };
}

function findingsOfSchedule(stream: string, facts: StreamFacts, group: string): AuditFinding[] {
  const findings: AuditFinding[] = [];
  const { unscheduled, staleSchedule, staleAttempts } = facts;
  if (unscheduled.count > 0) {
    findings.push({
      severity: 'error',
      code: 'unscheduled',
      key: stream,
      message: `${tasks(unscheduled.count)} set aside for a retry that no schedule knows; running consumers give them a time again within seconds`,
      ...unscheduled,
    });
  }
  if (!facts.groupExists && facts.length > 0) {
    findings.push({
      severity: 'note',
      code: 'no-group',
      key: stream,
      message: `group ${group} does not exist: ${tasks(facts.length)} waiting for its first consumer`,
      count: facts.length,
      ids: [],
    });
  }
  if (staleSchedule.count > 0) {
    findings.push({
      severity: 'note',
      code: 'stale-schedule',
      key: stream,
      message: `${staleSchedule.count} in the schedule of retries and not set aside: dropped when their time comes`,
      ...staleSchedule,
    });
  }
  if (staleAttempts.count > 0) {
    findings.push({
      severity: 'note',
      code: 'stale-attempts',
      key: stream,
      message: `${staleAttempts.count} with a history of attempts and not pending: settled by other means than a consumer`,
      ...staleAttempts,
    });
  }
  return findings;
}

function sum(streams: readonly Balance[]): Balance {
  const total: Balance = {
    accepted: 0,
    done: 0,
    pending: 0,
    scheduled: 0,
    dead: 0,
    dropped: 0,
    lost: 0,
    duplicated: 0,
  };
  for (const stream of streams) {
    for (const key of Object.keys(total) as (keyof Balance)[]) total[key] += stream[key]; // its own keys
  }
  return total;
}

function tasks(count: number): string {
  return count === 1 ? '1 task is' : `${count} tasks are`;
}

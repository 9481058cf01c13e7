import type { Percentiles } from './ledger.js';

/**
 * How a replay ended. Two sums always hold:
 *
 * - `sent` = `accepted` + all `refused` + `unconfirmed` (every request)
 * - `accepted` = `done` + `dead` + `lost` + `pending` (every 202)
 */
export interface ReplayReport {
  folder: string;
  url: string;
  bodies: number;
  times: number;
  connections: number;
  /** Requests sent, those sent again included. */
  sent: number;
  /** Requests answered 202. */
  accepted: number;
  /** Requests answered otherwise, by error code; a 503 that was sent again counts each time. */
  refused: Record<string, number>;
  /** Requests whose answer never came: connection reset, or no answer in time. Sent again. */
  unconfirmed: number;
  /** Attempts to connect that failed; nothing was sent. */
  unreachable: number;
  /** Tasks given up: refused for good, or not accepted within the time for trying again. */
  abandoned: number;
  /** Accepted tasks with a line in the digest, and not among the dead letters. */
  done: number;
  /** Accepted tasks among the dead letters. */
  dead: number;
  /** Accepted tasks that are nowhere any more. */
  lost: number;
  /** Accepted tasks still in a stream when the replay stopped waiting. */
  pending: number;
  /** Tasks that ran more than once, and how many runs that were too many. */
  duplicates: number;
  extraRuns: number;
  /** Tasks with an outcome but no 202: appended by unconfirmed requests, or sent by others meanwhile. */
  unpromised: number;
  /** What the group had not settled at the end; -1 if Redis could not be asked. */
  backlog: number;
  /** Request to 202, in ms. */
  intakeMs: Percentiles;
  /** 202 to the end of the first run, in ms. */
  doneMs: Percentiles;
  /** Until the last answer, in s. */
  sendSeconds: number;
  /** Until everything was settled, in s. */
  durationSeconds: number;
  /** The first ids that were lost, to look for. */
  lostIds: string[];
}

/** What a caller is ready to live with. */
export interface Tolerance {
  dead: boolean;
  refused: boolean;
}

/** Whether every task that was to be sent was accepted and worked off. */
export function isClean(report: ReplayReport, tolerate: Tolerance): boolean {
  return (
    report.lost === 0 &&
    report.pending === 0 &&
    (tolerate.dead || report.dead === 0) &&
    (tolerate.refused || report.abandoned === 0)
  );
}

/** The report as a table for people. */
export function formatReport(report: ReplayReport): string {
  const rows: [string, string][] = [
    ['sent', whole(report.sent)],
    ['accepted', whole(report.accepted)],
    ['refused', whole(Object.values(report.refused).reduce((sum, count) => sum + count, 0))],
    ...Object.entries(report.refused).map(([code, n]): [string, string] => [`  ${code}`, whole(n)]),
    ['unconfirmed', whole(report.unconfirmed)],
    ...onlyIf('unreachable', report.unreachable),
    ...onlyIf('abandoned', report.abandoned),
    ['done', whole(report.done)],
    ['dead', whole(report.dead)],
    ['lost', whole(report.lost)],
    ...onlyIf('still queued', report.pending),
    ['duplicates', duplicates(report)],
    ...onlyIf('run without a 202', report.unpromised),
    ...(report.backlog === 0 ? [] : [['backlog left', backlog(report.backlog)] as [string, string]]),
  ];
  const perSecond = report.sendSeconds > 0 ? report.accepted / report.sendSeconds : 0;
  return [
    `${whole(report.bodies)} bodies x ${whole(report.times)} over ${report.connections} connections to ${report.url}`,
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(20)}${value.padStart(12)}`),
    '',
    `  ${'milliseconds'.padEnd(20)}${'p50'.padStart(12)}${'p99'.padStart(12)}${'max'.padStart(12)}`,
    latencyRow('request to 202', report.intakeMs, 2),
    latencyRow('202 to done', report.doneMs, 0),
    '',
    `  all accepted after ${report.sendSeconds.toFixed(1)} s (${whole(Math.round(perSecond))} a second), all settled after ${report.durationSeconds.toFixed(1)} s`,
    ...report.lostIds.map((taskId) => `  lost: ${taskId}`),
  ].join('\n');
}

function onlyIf(name: string, count: number): [string, string][] {
  return count === 0 ? [] : [[name, whole(count)]];
}

function duplicates({ duplicates, extraRuns }: ReplayReport): string {
  return extraRuns > duplicates ? `${whole(duplicates)} (${whole(extraRuns)} runs)` : whole(duplicates);
}

function backlog(count: number): string {
  return count < 0 ? 'unknown' : whole(count);
}

function latencyRow(name: string, { p50, p99, max }: Percentiles, digits: number): string {
  return `  ${name.padEnd(20)}${[p50, p99, max].map((ms) => ms.toFixed(digits).padStart(12)).join('')}`;
}

function whole(count: number): string {
  return count.toLocaleString('en-US');
}

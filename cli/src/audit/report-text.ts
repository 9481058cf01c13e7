import { table } from '../table.js';
import type { AuditFinding, AuditReport, Balance } from './report.js';

/** Most ids that are printed of each finding; `--json` has more. */
const MOST_IDS = 10;

/** An audit for people. The last line says whether it adds up. */
export function auditText(report: AuditReport): string {
  const { at, streamName, group, streams, total, findings } = report;
  const rows = streams.map((stream) => [stream.stream, ...figures(stream)]);
  if (streams.length > 1) rows.push(['all', ...figures(total)]);
  return [
    `queue ${streamName}, group ${group}, ${at}`,
    '',
    ...(rows.length === 0 ? [] : [...table([['stream', ...HEAD], ...rows]).map((line) => `  ${line}`), '']),
    ...findings.flatMap(findingLines),
    ...(findings.length > 0 ? [''] : []),
    auditLine(total),
    verdict(report),
  ].join('\n');
}

/** The equation of U-2 in one line. */
export function auditLine(total: Balance): string {
  const { accepted, done, pending, scheduled, dead, dropped, lost, duplicated } = total;
  const explained = done + pending + scheduled + dead + dropped;
  const equals = accepted === explained ? '=' : '≠';
  return (
    `accepted ${accepted} ${equals} done ${done} + pending ${pending} + scheduled ${scheduled} + dead ${dead}` +
    ` + dropped ${dropped}; lost ${lost}, duplicated ${duplicated === 0 ? '0' : `at most ${duplicated}`}`
  );
}

function verdict({ ok, findings }: AuditReport): string {
  if (ok) return 'it adds up: nothing is lost';
  const errors = findings.filter((finding) => finding.severity === 'error').length;
  return `it does not add up, or something is stuck: ${errors === 1 ? 'one finding' : `${errors} findings`} above`;
}

const COLUMNS = ['accepted', 'done', 'pending', 'scheduled', 'dead', 'dropped', 'lost'] as const;
const HEAD = [...COLUMNS, 'duplicated ≤'];

function figures(balance: Balance): number[] {
  return [...COLUMNS.map((column) => balance[column]), balance.duplicated];
}

function findingLines({ severity, key, message, count, ids }: AuditFinding): string[] {
  const lines = [`${severity === 'error' ? 'ERROR' : 'note '}  ${key}: ${message}`];
  if (ids.length > 0) {
    const more = count - Math.min(ids.length, MOST_IDS);
    lines.push(`       ${ids.slice(0, MOST_IDS).join(' ')}${more > 0 ? ` and ${more} more` : ''}`);
  }
  return lines;
}

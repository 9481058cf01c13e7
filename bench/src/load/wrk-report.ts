import type { ClosedLoopResult } from './closed-loop.js';

/** The fields of the line that closed-loop.lua prints. */
const FIELDS = [
  'requests',
  'durationUs',
  'connectErrors',
  'readErrors',
  'writeErrors',
  'timeouts',
  'errorStatuses',
  'p50Us',
  'p99Us',
  'p999Us',
  'maxUs',
] as const;

/**
 * Reads what wrk printed, of which the last line is ours.
 *
 * wrk counts statuses from 400 up as errors and tells no others apart: a 200 would pass for a 202 here, but not in
 * the stream, which is counted too.
 *
 * @throws Error when there is no such line: wrk did not run as it should
 */
export function parseWrkReport(output: string): ClosedLoopResult {
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  const report = parse(line);
  for (const field of FIELDS) {
    if (typeof report[field] !== 'number')
      throw new Error(`wrk reported no ${field}: ${JSON.stringify(line)}`);
  }
  const { connectErrors, readErrors, writeErrors, timeouts, errorStatuses } = report;
  return {
    accepted: report.requests - errorStatuses,
    failed: errorStatuses + connectErrors + readErrors + writeErrors + timeouts,
    failedBy: { errorStatuses, connectErrors, readErrors, writeErrors, timeouts },
    seconds: report.durationUs / 1_000_000,
    latency: {
      p50: report.p50Us / 1000,
      p99: report.p99Us / 1000,
      p999: report.p999Us / 1000,
      max: report.maxUs / 1000,
    },
  };
}

function parse(line: string): Record<(typeof FIELDS)[number], number> {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Error(`wrk did not report: ${JSON.stringify(line)}`, { cause });
  }
}

import { oneLine, plural, shortened } from '../printable.js';
import { table } from '../table.js';
import type { RedriveProgress, RedriveReport } from './redrive-options.js';

/** Most tasks that are named of those that died again. */
const MOST_NAMED = 10;

export function progressLine({ phase, selected, redriven, done, cameBack }: RedriveProgress): string {
  return `${phase}: ${redriven} of ${selected} redriven, ${done} done, ${cameBack} died again`;
}

/** A redrive for people. */
export function redriveText(report: RedriveReport): string {
  const { selected, redriven, done, cameBack, unsettled, gone, notOurs, stopped } = report;
  const lines = [
    `redriven ${redriven} of ${plural(selected, 'dead letter')}: done ${done}, died again ${cameBack.length}, not settled yet ${unsettled}`,
  ];
  if (gone > 0) lines.push(`${gone} had been redriven or purged by somebody else meanwhile`);
  if (notOurs > 0) lines.push(`${notOurs} left alone: not written by consumers of Sluice`);
  if (cameBack.length > 0) {
    const rows = cameBack
      .slice(0, MOST_NAMED)
      .map(({ letterId, taskId, error }) => [letterId, taskId, shortened(oneLine(error), 60)]);
    lines.push('', ...table([['died again as', 'task', 'error'], ...rows]).map((line) => `  ${line}`));
    if (cameBack.length > MOST_NAMED) lines.push(`  and ${cameBack.length - MOST_NAMED} more`);
    lines.push('');
  }
  if (stopped !== undefined) {
    lines.push(`stopped: ${stopped}; ${selected - redriven - gone} left where they were, as dead letters`);
  }
  return lines.join('\n');
}

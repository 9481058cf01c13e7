import { plural } from '../../printable.js';
import type { Check } from '../facts.js';

export const delayedTasks: Check = {
  name: 'delayed tasks',
  look: ({ queue: { delayed } }) => {
    const late = delayed.filter(({ overdue }) => overdue > 0);
    if (late.length === 0) {
      const waiting = delayed.reduce((sum, one) => sum + one.waiting, 0);
      return [{ severity: 'ok', finding: `${plural(waiting, 'delayed task')}, none past due` }];
    }
    return late.map(({ stream, taskType, overdue }) => ({
      severity: 'error' as const,
      finding: `${plural(overdue, 'delayed task')} of ${stream} past due by more than 5 s: no consumer moves them to the stream`,
      remedy: `start consumers with a handler for ${taskType}, of any group`,
    }));
  },
};

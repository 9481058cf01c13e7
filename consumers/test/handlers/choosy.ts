import { defineHandler } from '@sluice/consumers';
import { defineTaskType } from '@sluice/contract';
import { Type } from 'typebox';
import { note } from './script.js';

const choosy = defineTaskType(
  'choosy',
  Type.Object({ journal: Type.String(), do: Type.Union([Type.Literal('throw'), Type.Literal('hang')]) }),
);

/** A handler with a policy of its own. */
export default defineHandler(
  choosy,
  async (task, { signal }) => {
    const { journal, do: what } = task.data;
    note('start', task, journal);
    if (what === 'throw') throw new Error('as told');
    await new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        note('aborted', task, journal, signal.reason.name);
        reject(signal.reason);
      });
    });
  },
  { maxAttempts: 2, timeoutSeconds: 0.3 },
);

import { defineHandler } from '@sluice/consumers';
import { defineTaskType } from '@sluice/contract';
import { Type } from 'typebox';
import { note } from './script.js';

export const measured = defineTaskType(
  'measured',
  Type.Object({ journal: Type.String(), width: Type.Integer() }),
);

/** A typed handler that runs one task at a time. */
export default defineHandler(measured, (task) => {
  note('start', task, task.data.journal);
  note('end', task, task.data.journal);
});

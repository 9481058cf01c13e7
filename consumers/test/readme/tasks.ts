import { defineTaskType } from '@sluice/contract';
import { Type } from 'typebox';

export const welcomeMail = defineTaskType(
  'welcome-mail',
  Type.Object({ to: Type.String(), name: Type.String() }),
);
export default [welcomeMail]; // SCHEMA_MODULE of the engine

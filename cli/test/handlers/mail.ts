import { defineHandler } from '@sluice/consumers';
import { defineTaskType } from '@sluice/contract';
import { Type } from 'typebox';
import { obey } from './obey.js';

export default defineHandler(defineTaskType('mail', Type.Unknown()), (task) => obey(task.data));

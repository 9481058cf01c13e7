import { defineHandler } from '@sluice/consumers';
import { obey } from './obey.js';

export default defineHandler('default', (task) => obey(task.data));

import { setTimeout as pause } from 'node:timers/promises';
import { defineHandler } from '@sluice/consumers';
import { DigestWriter } from '@sluice/example-webhooks';

const digest = new DigestWriter(process.env.DIGEST_DIR ?? '');

/** Works for a while, then writes down that it has: what is killed in between has not happened. */
export default defineHandler('default', async (task) => {
  await pause(50);
  digest.append({
    task_id: task.id,
    attempt: task.attempt,
    at: new Date().toISOString(),
    type: task.type,
    repository: null,
    what: 'worked for a while',
    counts: {},
  });
});

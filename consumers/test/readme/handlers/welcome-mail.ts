import { defineHandler, RetryAfter, Unrecoverable } from '@sluice/consumers';
import { welcomeMail } from '../tasks.js';

export default defineHandler(welcomeMail, async (task, { signal }) => {
  const response = await fetch('https://mail.example/send', {
    method: 'POST',
    body: JSON.stringify(task.data),
    signal,
  });
  if (response.status === 429) throw new RetryAfter(60_000); // again, in a minute
  if (response.status === 400) throw new Unrecoverable('the address does not exist'); // never again: dead letter
  if (!response.ok) throw new Error(`mail service answered ${response.status}`); // again, with back-off
});

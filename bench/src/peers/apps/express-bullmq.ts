import type { AddressInfo } from 'node:net';
import express from 'express';
import { add } from './bullmq-store.js';
import { serving } from './serving.js';

const app = express();
app.use(express.json());
app.post('/tasks', async ({ body }, response) => {
  const { data } = body as { data?: unknown };
  if (data === undefined) response.status(400).json({ error: 'data is missing' });
  else response.status(202).json({ task_id: await add(data), ack: 'appended' });
});
const server = app.listen(0, '127.0.0.1', () => serving((server.address() as AddressInfo).port)); // it is no pipe

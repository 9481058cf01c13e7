import { add } from './bullmq-store.js';
import { serveWithFastify } from './fastify.js';

await serveWithFastify(({ data }) => add(data));

import { serveWithFastify } from './fastify.js';
import { append } from './stream-store.js';

await serveWithFastify((envelope) => append(JSON.stringify(envelope)));

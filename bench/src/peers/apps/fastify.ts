import Fastify from 'fastify';
import { serving } from './serving.js';

/** The envelope that the engine takes too, for Fastify to validate. */
const ENVELOPE = {
  type: 'object',
  required: ['data'],
  additionalProperties: false,
  properties: { data: {}, metadata: { type: 'object' } },
};
/** With a schema for its answer, Fastify writes it faster. */
const ANSWER = { type: 'object', properties: { task_id: { type: 'string' }, ack: { type: 'string' } } };

export interface Envelope {
  data: unknown;
  metadata?: object;
}

/** Serves `POST /tasks` with Fastify. @param store resolves with the id of a task once Redis has it */
export async function serveWithFastify(store: (envelope: Envelope) => Promise<string>): Promise<void> {
  const fastify = Fastify();
  const schema = { body: ENVELOPE, response: { 202: ANSWER } };
  fastify.post<{ Body: Envelope }>('/tasks', { schema }, async ({ body }, reply) => {
    const id = await store(body);
    reply.code(202);
    return { task_id: id, ack: 'appended' };
  });
  const address = await fastify.listen({ host: '127.0.0.1', port: 0 });
  serving(Number(new URL(address).port));
}

const BREAKER = { enum: ['closed', 'open', 'half-open'] };

/** What probes answer. Their statuses are not those of `answers.ts`: 503 has no error in it. */
export const HEALTH_SCHEMA = {
  type: 'object',
  required: ['status', 'timestamp', 'redis_connected', 'version', 'redis'],
  properties: {
    status: { enum: ['healthy', 'unhealthy'] },
    timestamp: { type: 'string', format: 'date-time' },
    redis_connected: { type: 'boolean' },
    version: { type: 'string' },
    redis: {
      type: 'object',
      required: ['breaker', 'refused'],
      properties: {
        breaker: {
          ...BREAKER,
          description:
            'The worst of all streams. `open`: tasks are answered 503 without asking Redis, which is away, silent, or refuses them. `half-open`: one is tried.',
        },
        refused: {
          type: 'array',
          description: 'The streams of which Redis refuses every task.',
          items: {
            type: 'object',
            required: ['stream', 'breaker', 'cause'],
            properties: {
              stream: { type: 'string' },
              breaker: BREAKER,
              cause: { type: 'string', description: 'Code of the last error of Redis, such as `OOM`.' },
            },
          },
        },
      },
    },
  },
};

/** The paths of probes. */
export const HEALTH_PATHS = {
  '/health': probe('health', 'Whether this process is well: Redis is there, and memory is not short', {
    200: ['It is.', { $ref: '#/components/schemas/Health' }],
    503: ['It is not.', { $ref: '#/components/schemas/Health' }],
  }),
  '/livez': probe('livez', 'Whether this process is alive', { 200: ['It is.', statusSchema('alive')] }),
  '/readyz': probe('readyz', 'Whether tasks should be sent here', {
    200: ['They should.', statusSchema('ready')],
    503: [
      'They should not: Redis is gone, or the service is starting or shutting down.',
      statusSchema('not ready'),
    ],
  }),
};

function probe(
  operationId: string,
  summary: string,
  answers: Readonly<Record<string, readonly [string, object]>>,
): object {
  const responses = Object.entries(answers).map(([status, [description, schema]]) => [
    status,
    { description, content: { 'application/json': { schema } } },
  ]);
  return {
    get: {
      tags: ['health'],
      operationId,

      summary,
      responses: Object.fromEntries(responses),
    },
  };
}

function statusSchema(status: string): object {
  return { type: 'object', required: ['status'], properties: { status: { const: status } } };
}

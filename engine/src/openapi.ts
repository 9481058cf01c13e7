import type { TaskType } from '@sluice/contract';
import { ERROR_SCHEMAS, type ErrorResponses, errorResponses } from './openapi-errors.js';
import type { ResolvedEngineOptions } from './options.js';
import { publishedSchema } from './published-schema.js';

/** The options that a client can tell from outside. */
type ShownOptions = Pick<
  ResolvedEngineOptions,
  | 'serviceName'
  | 'serviceVersion'
  | 'ackMode'
  | 'apiKeysFile'
  | 'allowChunked'
  | 'maxPayloadSize'
  | 'maxDepth'
  | 'scheduleMaxDelaySeconds'
>;

/** What the engine takes in and answers, as an OpenAPI 3.1 document: made from what it validates with and answers by. */
export function openApiDocument(options: ShownOptions, taskTypes: readonly TaskType[]): object {
  const errors = errorResponses(options.apiKeysFile !== undefined);
  const operation = taskOperations(options, errors);
  return {
    openapi: '3.1.1',
    info: {
      title: options.serviceName,
      version: options.serviceVersion,
      description: introduction(options),
    },
    // Seen from where the document is, so that it holds behind a gateway too.
    servers: [{ url: './' }],
    tags: [{ name: 'tasks' }, { name: 'health' }],
    paths: {
      '/tasks': { post: operation(undefined) },
      ...Object.fromEntries(taskTypes.map((type) => [`/tasks/${type.name}`, { post: operation(type) }])),
      ...HEALTH_PATHS,
    },
    components: {
      schemas: {
        ...ERROR_SCHEMAS,
        Accepted: acceptedSchema(options),
        Health: HEALTH,
        ...Object.fromEntries(taskTypes.map((type) => [dataName(type), dataSchema(type)])),
      },
      responses: errors.components,
      ...(options.apiKeysFile !== undefined && { securitySchemes: SECURITY_SCHEMES }),
    },
  };
}

function introduction({ ackMode, maxPayloadSize, maxDepth, allowChunked }: ShownOptions): string {
  const accepted =
    ackMode === 'appended'
      ? 'A task that is answered 202 is stored.'
      : 'A task that is answered 202 is valid and queued in memory; it is lost if the service dies now.';
  const framing = allowChunked ? 'Bodies may be chunked.' : 'Bodies need a Content-Length.';
  return `Takes tasks in. ${accepted} ${framing} They have up to ${maxPayloadSize} bytes and ${maxDepth} levels.`;
}

/** A task operation, given its type; or, without, the one that takes any data. */
function taskOperations(
  options: ShownOptions,
  errors: ErrorResponses,
): (type: TaskType | undefined) => object {
  const shared = {
    tags: ['tasks'],
    parameters: [TRACEPARENT],
  };
  const responses = {
    202: {
      description: 'The task is taken in.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Accepted' } } },
    },
    ...errors.references,
  };
  return (type) => {
    const scope = type?.name ?? 'default';
    const body = {
      schema: envelopeSchema(
        type === undefined
          ? { description: 'Anything.' }
          : { $ref: `#/components/schemas/${dataName(type)}` },
        options.scheduleMaxDelaySeconds,
      ),
    };
    return {
      ...shared,
      operationId: `send.${scope}`,
      summary: type === undefined ? 'Send a task of no type' : `Send a task of type ${type.name}`,
      ...(options.apiKeysFile !== undefined && {
        security: Object.keys(SECURITY_SCHEMES).map((scheme) => ({ [scheme]: [scope] })),
      }),
      requestBody: { required: true, content: { 'application/json': body, 'application/msgpack': body } },
      responses,
    };
  };
}

const TRACEPARENT = {
  name: 'traceparent',
  in: 'header',
  description: 'The trace that the task belongs to (W3C Trace Context); it goes with it to its handler.',
  schema: { type: 'string', pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}' },
};

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key with the scope of the task type.' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same key, by itself.' },
};

/** The whole body, as `validator.ts` checks it. */
function envelopeSchema(data: object, maxDelaySeconds: number): object {
  return {
    type: 'object',
    required: ['data'],
    properties: {
      data,
      metadata: { type: 'object', description: 'Goes with the task to its handler.' },
      delay: {
        type: 'number',
        minimum: 0,
        maximum: maxDelaySeconds,
        default: 0,
        description: 'Seconds to put the task off by; not beside `run_at`.',
      },
      run_at: {
        type: 'string',
        format: 'date-time',
        description: `When the task is due, with its zone; at most ${maxDelaySeconds} seconds from now.`,
        examples: ['2030-01-31T09:00:00+01:00'],
      },
    },
    additionalProperties: false,
    not: { required: ['delay', 'run_at'] },
    // It follows from that, and lets generated samples be valid.
    maxProperties: 3,
  };
}

function acceptedSchema({ ackMode }: ShownOptions): object {
  return {
    type: 'object',
    required: ['task_id', 'ack'],
    properties: {
      task_id: { type: 'string', format: 'uuid' },
      ack: { const: ackMode, description: 'How far the task has got.' },
      run_at: { type: 'string', format: 'date-time', description: 'When it is due, if it was put off.' },
    },
  };
}

function dataName(type: TaskType): string {
  return `data.${type.name}`;
}

function dataSchema(type: TaskType): unknown {
  try {
    return publishedSchema(type.data, `#/components/schemas/${dataName(type)}`);
  } catch {
    // TypeBox could compile it, so it serves; its data is checked all the same.
    return { description: 'The schema of this type cannot be written as JSON.' };
  }
}

const HEALTH = {
  type: 'object',
  required: ['status', 'timestamp', 'redis_connected', 'version'],
  properties: {
    status: { enum: ['healthy', 'unhealthy'] },
    timestamp: { type: 'string', format: 'date-time' },
    redis_connected: { type: 'boolean' },
    version: { type: 'string' },
  },
};

const HEALTH_PATHS = {
  '/health': probe('health', 'Whether this process is well: Redis is there, and memory is not short', {
    200: ['It is.', { $ref: '#/components/schemas/Health' }],
    503: ['It is not.', { $ref: '#/components/schemas/Health' }],
  }),
  '/livez': probe('livez', 'Whether this process is alive', { 200: ['It is.', statusSchema('alive')] }),
  '/readyz': probe('readyz', 'Whether tasks should be sent here', {
    200: ['They should.', statusSchema('ready')],
    503: ['They should not: Redis is gone, or the service is shutting down.', statusSchema('not ready')],
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

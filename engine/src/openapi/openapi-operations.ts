import { DEFAULT_TASK_TYPE, type TaskType } from '@sluice/contract';
import { ACK_LEVELS } from '../append/ack-level.js';
import { MAX_KEY_LENGTH } from '../intake/idempotency-key.js';
import type { ErrorResponses } from './openapi-errors.js';
import { batchSchemaName, schemaRef, taskSchemaName } from './openapi-schemas.js';

/** How holders of an API key show it (see `key-ring.ts`). */
export const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key with the scope of the task type.' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same key, by itself.' },
};

/** The header by which a task or a batch joins a trace. */
const TRACEPARENT = {
  name: 'traceparent',
  in: 'header',
  description: 'The trace that the task belongs to (W3C Trace Context); it goes with it to its handler.',
  schema: { type: 'string', pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}' },
};

/** What goes with it. */
const TRACESTATE = {
  name: 'tracestate',
  in: 'header',
  description: 'Goes with the traceparent; up to 512 bytes.',
  schema: { type: 'string' },
};

/** The header with which a task is stored once. */
const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'A task that is sent again with the same key and body is stored once: the answer is the first one. In quotes if it has a comma.',
  schema: { type: 'string', minLength: 1, maxLength: MAX_KEY_LENGTH },
};

/** The header that chooses a level of acknowledgement. */
const PREFER = {
  name: 'Prefer',
  in: 'header',
  description: `How far a task has to get before it is answered (RFC 7240): ${ACK_LEVELS.map((level) => `\`ack=${level}\``).join(', ')}.`,
  schema: { type: 'string', examples: ['ack=replicated'] },
};

const APPLIED = {
  'Preference-Applied': {
    description: 'The level of acknowledgement that was asked for, if it was.',
    schema: { enum: ACK_LEVELS.map((level) => `ack=${level}`) },
  },
};

const REPLAYED = {
  'Idempotency-Replayed': {
    description: '`true` if the task was stored before, with the same Idempotency-Key.',
    schema: { const: 'true' },
  },
};

const SPAN = {
  traceparent: {
    description: 'The span of the request, if it has sent a traceparent and requests are traced.',
    schema: TRACEPARENT.schema,
  },
};

/** The paths at which tasks of a type are taken in; without a type, those that take any data. */
export function taskPaths(
  type: TaskType | undefined,
  errors: ErrorResponses,
  withKeys: boolean,
): Record<string, object> {
  const scope = type?.name ?? DEFAULT_TASK_TYPE;
  const path = type === undefined ? '/tasks' : `/tasks/${type.name}`;
  const kind = type === undefined ? 'of no type' : `of type ${type.name}`;
  const shared = {
    tags: ['tasks'],
    ...(withKeys && {
      security: Object.keys(SECURITY_SCHEMES).map((scheme) => ({ [scheme]: [scope] })),
    }),
  };
  const task = { schema: schemaRef(taskSchemaName(scope)) };
  const batch = { schema: schemaRef(batchSchemaName(scope)) };
  return {
    [path]: {
      post: {
        ...shared,
        operationId: `send.${scope}`,
        summary: `Send a task ${kind}`,
        parameters: [TRACEPARENT, TRACESTATE, IDEMPOTENCY_KEY, PREFER],
        requestBody: bodyOf({ 'application/json': task, 'application/msgpack': task }),
        responses: {
          202: {
            ...answerOf('The task is taken in.', 'Accepted'),
            headers: { ...REPLAYED, ...APPLIED, ...SPAN },
          },
          ...errors.references,
        },
      },
    },
    [`${path}/batch`]: {
      post: {
        ...shared,
        operationId: `sendBatch.${scope}`,
        summary: `Send many tasks ${kind}`,
        parameters: [TRACEPARENT, TRACESTATE, PREFER],
        description: BATCH_NOTE,
        requestBody: bodyOf({
          'application/json': batch,
          'application/x-ndjson': { schema: { type: 'string', description: 'A task in each line.' } },
          'application/msgpack': batch,
        }),
        responses: {
          202: { ...answerOf('All tasks are taken in.', 'BatchResult'), headers: { ...APPLIED, ...SPAN } },
          207: {
            ...answerOf('Some tasks are taken in, and some are refused.', 'BatchResult'),
            headers: { ...APPLIED, ...SPAN },
          },
          ...errors.references,
        },
      },
    },
  };
}

const BATCH_NOTE =
  'Each task is taken in or refused by itself. Where none is taken in, the answer is an error, with the fields of BatchResult beside it if the batch could be read.';

function bodyOf(content: Readonly<Record<string, object>>): object {
  return { required: true, content };
}

function answerOf(description: string, schema: string): object {
  return { description, content: { 'application/json': { schema: schemaRef(schema) } } };
}

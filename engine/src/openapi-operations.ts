import { DEFAULT_TASK_TYPE, type TaskType } from '@sluice/contract';
import type { ErrorResponses } from './openapi-errors.js';
import { batchSchemaName, schemaRef, taskSchemaName } from './openapi-schemas.js';

/** How holders of an API key show it (see `key-ring.ts`). */
export const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key with the scope of the task type.' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same key, by itself.' },
};

/** Headers that every task and batch may be sent with. */
const PARAMETERS = [
  {
    name: 'traceparent',
    in: 'header',
    description: 'The trace that the task belongs to (W3C Trace Context); it goes with it to its handler.',
    schema: { type: 'string', pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}' },
  },
];

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
    parameters: PARAMETERS,
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
        requestBody: bodyOf({ 'application/json': task, 'application/msgpack': task }),
        responses: { 202: answerOf('The task is taken in.', 'Accepted'), ...errors.references },
      },
    },
    [`${path}/batch`]: {
      post: {
        ...shared,
        operationId: `sendBatch.${scope}`,
        summary: `Send many tasks ${kind}`,
        description: BATCH_NOTE,
        requestBody: bodyOf({
          'application/json': batch,
          'application/x-ndjson': { schema: { type: 'string', description: 'A task in each line.' } },
          'application/msgpack': batch,
        }),
        responses: {
          202: answerOf('All tasks are taken in.', 'BatchResult'),
          207: answerOf('Some tasks are taken in, and some are refused.', 'BatchResult'),
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

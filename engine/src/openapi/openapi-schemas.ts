import { DEFAULT_TASK_TYPE, type TaskType } from '@sluice/contract';
import { batchLimits } from '../intake/batch-limits.js';
import { engineOptions, type ResolvedEngineOptions } from '../options.js';
import { ERROR_SCHEMAS } from './openapi-errors.js';
import { HEALTH_SCHEMA } from './openapi-health.js';
import { publishedSchema } from './published-schema.js';

/** A schema by its name in the document. */
export function schemaRef(name: string): { $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

/** Name of the schema of a whole task: what a body is, and an item of a batch. */
export function taskSchemaName(scope: string): string {
  return `task.${scope}`;
}

/** Name of the schema of the body of a batch. */
export function batchSchemaName(scope: string): string {
  return `batch.${scope}`;
}

/** All schemas of the document, by name. No name of ours has a dot but those that end in the name of a task type. */
export function componentSchemas(
  options: ResolvedEngineOptions,
  taskTypes: readonly TaskType[],
): Record<string, unknown> {
  const schemas: Record<string, unknown> = {
    ...ERROR_SCHEMAS,
    Accepted: acceptedSchema(),
    BatchResult: batchResultSchema(),
    Health: HEALTH_SCHEMA,
  };
  const { batchTasks } = batchLimits(options);
  const add = (scope: string, data: object): void => {
    schemas[taskSchemaName(scope)] = envelopeSchema(data, options.scheduleMaxDelaySeconds);
    schemas[batchSchemaName(scope)] = {
      type: 'array',
      items: schemaRef(taskSchemaName(scope)),
      ...(Number.isFinite(batchTasks.most) && { maxItems: batchTasks.most }),
    };
  };
  add(DEFAULT_TASK_TYPE, { description: 'Anything.' });
  for (const type of taskTypes) {
    const name = `data.${type.name}`;
    schemas[name] = dataSchema(type, name);
    add(type.name, schemaRef(name));
  }
  return schemas;
}

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
    // With its type: Swagger UI takes whatever is not said to be an object for anything, and its negation for nothing.
    not: { type: 'object', required: ['delay', 'run_at'] },
    // It follows from that, and lets generated samples be valid.
    maxProperties: 3,
  };
}

/** The levels of acknowledgement that there are. */
const LEVELS = engineOptions.properties.ackMode.anyOf.map((level) => level.const);

function acceptedSchema(): object {
  return {
    type: 'object',
    required: ['task_id', 'ack'],
    properties: {
      task_id: { type: 'string', format: 'uuid' },
      ack: { enum: LEVELS, description: 'How far the task has got.' },
      run_at: { type: 'string', format: 'date-time', description: 'When it is due, if it was put off.' },
    },
  };
}

function batchResultSchema(): object {
  const count = { type: 'integer', minimum: 0 };
  return {
    type: 'object',
    required: ['accepted', 'refused', 'ack', 'task_ids', 'errors'],
    properties: {
      accepted: count,
      refused: count,
      ack: { enum: LEVELS, description: 'How far the accepted tasks have got.' },
      task_ids: {
        type: 'array',
        description: 'One for each task, in their order; null for a refused one.',
        items: { type: ['string', 'null'], format: 'uuid' },
      },
      errors: {
        type: 'array',
        description: 'Why tasks were refused, by their place in the batch.',
        items: {
          type: 'object',
          required: ['index', 'error'],
          properties: { index: count, error: ERROR_SCHEMAS.Error.properties.error },
        },
      },
      delayed: {
        type: 'array',
        description: 'When tasks that were put off are due, by their place in the batch.',
        items: {
          type: 'object',
          required: ['index', 'run_at'],
          properties: { index: count, run_at: { type: 'string', format: 'date-time' } },
        },
      },
    },
  };
}

function dataSchema({ data }: TaskType, name: string): unknown {
  try {
    return publishedSchema(data, schemaRef(name).$ref);
  } catch {
    // TypeBox could compile it, so it serves; its data is checked all the same.
    return { description: 'The schema of this type cannot be written as JSON.' };
  }
}

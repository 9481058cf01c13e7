import type { RefusalCode } from '../http/answers.js';
import { STATUSES } from '../status/task-status.js';
import { errorResponsesOf } from './openapi-errors.js';
import { SECURITY_SCHEMES } from './openapi-operations.js';
import { schemaRef } from './openapi-schemas.js';

const TIME = { type: 'string', format: 'date-time' };

const IN_GROUP = {
  status: {
    enum: STATUSES,
    description: [
      '`queued`: waits for its time, or for a consumer.',
      '`running`: a consumer has it.',
      '`failed`: an attempt failed, and there will be another.',
      '`done`: it was worked off.',
      '`dead`: it will not be tried again.',
      '`gone`: it is not in its stream any more, and nobody has said what became of it.',
    ].join('\n\n'),
  },
  attempts: { type: 'integer', minimum: 0, description: 'Attempts that have failed so far.' },
  next_attempt_at: { ...TIME, description: 'Of a failed task.' },
  finished_at: { ...TIME, description: 'Of a task that is done or dead.' },
  reason: { type: 'string', description: 'Why it is dead.', examples: ['attempts-exhausted'] },
  error: {
    type: 'object',
    description: 'The last error of a dead task, while its dead letter is there.',
    required: ['name', 'message'],
    properties: { name: { type: 'string' }, message: { type: 'string' } },
  },
};

/** What is answered of a task; empty where they are not tracked. */
export function statusSchemas(isTracked: boolean): Record<string, object> {
  if (!isTracked) return {};
  return {
    TaskStatus: {
      type: 'object',
      required: ['task_id', 'type', 'status'],
      properties: {
        task_id: { type: 'string', format: 'uuid' },
        type: { type: 'string', examples: ['default'] },
        run_at: { ...TIME, description: 'When it is due, if it was put off.' },
        queued_at: { ...TIME, description: 'When it came into its stream.' },
        ...IN_GROUP,
        groups: {
          type: 'object',
          description:
            'What it is in each consumer group, where there are several. Over all, it is what it is in the group that has most to do with it still.',
          additionalProperties: { type: 'object', required: ['status'], properties: IN_GROUP },
        },
      },
    },
  };
}

/** The path at which one asks what became of a task; none where they are not tracked. */
export function statusPaths(isTracked: boolean, withKeys: boolean): Record<string, object> {
  if (!isTracked) return {};
  const codes: RefusalCode[] = [
    'BAD_REQUEST',
    'INVALID_TASK_ID',
    ...(withKeys ? (['UNAUTHORIZED'] as const) : []),
    'TASK_NOT_FOUND',
    'INTERNAL_ERROR',
    'OVERLOADED',
    'REDIS_UNAVAILABLE',
  ];
  return {
    '/tasks/{id}': {
      get: {
        tags: ['tasks'],
        ...(withKeys && { security: Object.keys(SECURITY_SCHEMES).map((scheme) => ({ [scheme]: [] })) }),
        operationId: 'status',
        summary: 'What became of a task',
        parameters: [
          {
            name: 'id',
            in: 'path',
            required: true,
            description: 'The `task_id` of a 202.',
            schema: { type: 'string', format: 'uuid' },
          },
        ],
        responses: {
          200: {
            description: 'The task is known.',
            content: { 'application/json': { schema: schemaRef('TaskStatus') } },
          },
          ...errorResponsesOf(codes),
        },
      },
    },
  };
}

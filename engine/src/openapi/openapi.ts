import type { TaskType } from '@sluice/contract';
import { batchLimits } from '../intake/batch-limits.js';
import type { ResolvedEngineOptions } from '../options.js';
import { errorResponses } from './openapi-errors.js';
import { HEALTH_PATHS } from './openapi-health.js';
import { SECURITY_SCHEMES, taskPaths } from './openapi-operations.js';
import { componentSchemas } from './openapi-schemas.js';
import { statusPaths, statusSchemas } from './openapi-status.js';

/** What the engine takes in and answers, as an OpenAPI 3.1 document: made from what it validates with and answers by. */
export function openApiDocument(options: ResolvedEngineOptions, taskTypes: readonly TaskType[]): object {
  const withKeys = options.apiKeysFile !== undefined;
  const errors = errorResponses(withKeys);
  const paths = [undefined, ...taskTypes].map((type) => taskPaths(type, errors, withKeys));
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
      ...Object.fromEntries(paths.flatMap((one) => Object.entries(one))),
      ...statusPaths(options.trackTasks, withKeys),
      ...HEALTH_PATHS,
    },
    components: {
      schemas: { ...componentSchemas(options, taskTypes), ...statusSchemas(options.trackTasks) },
      responses: errors.components,
      ...(withKeys && { securitySchemes: SECURITY_SCHEMES }),
    },
  };
}

function introduction(options: ResolvedEngineOptions): string {
  const { ackMode, maxPayloadSize, maxDepth, allowChunked } = options;
  const { batchBytes, batchTasks } = batchLimits(options);
  const accepted =
    ackMode === 'received'
      ? 'A task that is answered 202 is valid and queued in memory; it is lost if the service dies now.'
      : 'A task that is answered 202 is stored.';
  const framing = allowChunked ? 'Bodies may be chunked.' : 'Bodies need a Content-Length.';
  const limits = `A task has up to ${maxPayloadSize} bytes and ${maxDepth} levels, a batch up to ${batchBytes.most} bytes and ${batchTasks.most} tasks.`;
  return `Takes tasks in. ${accepted} ${framing} ${limits}`;
}

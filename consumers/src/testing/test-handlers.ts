import { SluiceError } from '@sluice/contract';
import type { Handler } from '../handlers/handler.js';
import { importDefault, type LoadedHandler, loadHandler, moduleUrl } from '../handlers/handler-registry.js';
import type { ResolvedOptions } from '../options.js';

/**
 * The handlers of a test queue: by task type, each a module as `createConsumer` takes it or the handler itself. A
 * list of handlers will do too, they know their types.
 */
export type TestHandlers = Readonly<Record<string, URL | string | Handler>> | readonly Handler[];

/** Loads handlers into this very process. */
export async function loadTestHandlers(
  handlers: TestHandlers,
  options: ResolvedOptions,
): Promise<Map<string, LoadedHandler>> {
  const named = isList(handlers)
    ? handlers.map((handler) => [handler.taskType, handler] as const)
    : Object.entries(handlers);
  if (named.length === 0) {
    throw new SluiceError(
      'INVALID_OPTIONS',
      'handlers is empty; needed: the handler of at least one task type',
    );
  }
  const loaded = new Map<string, LoadedHandler>();
  for (const [taskType, given] of named) {
    if (loaded.has(taskType)) {
      throw new SluiceError('INVALID_OPTIONS', `handlers has two of task type "${taskType}"; allowed: one`);
    }
    loaded.set(taskType, await loadOne(taskType, given, options));
  }
  return loaded;
}

async function loadOne(
  taskType: string,
  given: URL | string | Handler,
  options: ResolvedOptions,
): Promise<LoadedHandler> {
  if (typeof given !== 'string' && !(given instanceof URL)) {
    return loadHandler(taskType, 'what was passed', given, options);
  }
  const url = moduleUrl(given);
  return loadHandler(taskType, url, await importDefault(taskType, url), options);
}

function isList(handlers: TestHandlers): handlers is readonly Handler[] {
  return Array.isArray(handlers);
}

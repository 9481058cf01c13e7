import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeThrown, SluiceError } from '@sluice/contract';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/schema';
import type { ResolvedOptions } from '../options.js';
import type { RateLimit } from '../reading/rate-limit.js';
import type { BreakerPolicy } from '../settling/breaker.js';
import type { RetryPolicy } from '../settling/outcome.js';
import type { Handler, HandlerContext, Task } from './handler.js';
import type { HandlerPolicy } from './handler-policy.js';

/** A handler as a thread has loaded it, with the policy that holds for it. */
export interface LoadedHandler {
  readonly taskType: string;
  readonly retryPolicy: RetryPolicy;
  readonly timeoutMs: number;
  /** Tasks that one process runs at once. */
  readonly concurrency: number;
  /** Nothing when its type is never paused. */
  readonly breaker: BreakerPolicy | undefined;
  readonly rateLimit: RateLimit | undefined;
  /** What is wrong with the data of a task; nothing when its handler can be given it. */
  readonly faultsOf: (data: unknown) => string | undefined;
  readonly run: (task: Task, context: HandlerContext) => unknown;
}

/** The URL of a handler module: as it is when it is one, else a path from the working directory. */
export function moduleUrl(module: URL | string): string {
  if (module instanceof URL) return module.href;
  if (/^(file|data|node):/.test(module)) return module;
  return pathToFileURL(isAbsolute(module) ? module : resolve(module)).href;
}

/**
 * Loads the handler modules of a consumer.
 *
 * @param modules URL of the module by task type
 * @param options what holds where a handler has no policy of its own
 * @throws SluiceError `HANDLER_MODULE` naming the task type, the module and what is wrong with it
 */
export async function loadHandlers(
  modules: Readonly<Record<string, string>>,
  options: ResolvedOptions,
): Promise<Map<string, LoadedHandler>> {
  const loaded = await Promise.all(
    Object.entries(modules).map(async ([taskType, url]) =>
      loadHandler(taskType, url, await importDefault(taskType, url), options),
    ),
  );
  return new Map(loaded.map((handler) => [handler.taskType, handler]));
}

/** What a handler module exports by default. */
export async function importDefault(taskType: string, url: string): Promise<unknown> {
  try {
    const module: { default?: unknown } = await import(url);
    return module.default;
  } catch (cause) {
    const { name, message } = describeThrown(cause);
    throw unusable(taskType, url, `does not load: ${name}: ${message}`, cause);
  }
}

/**
 * Makes a handler ready to be run.
 *
 * @param origin names where it comes from, for messages
 * @param exported what is said to be a handler
 */
export function loadHandler(
  taskType: string,
  origin: string,
  exported: unknown,
  options: ResolvedOptions,
): LoadedHandler {
  if (!isHandler(exported)) {
    throw unusable(
      taskType,
      origin,
      'has no handler as its default export; needed: export default defineHandler(…)',
    );
  }
  if (exported.taskType !== taskType) {
    throw unusable(taskType, origin, `is the handler of task type "${exported.taskType}"`);
  }
  const { policy, schema } = exported;
  return {
    taskType,
    retryPolicy: {
      maxAttempts: policy.maxAttempts ?? options.maxAttempts,
      backoff: {
        baseMs: options.backoffBaseSeconds * 1000,
        maxMs: options.backoffMaxSeconds * 1000,
        jitter: options.backoffJitter,
      },
    },
    timeoutMs: (policy.timeoutSeconds ?? options.taskTimeoutSeconds) * 1000,
    concurrency: Math.min(policy.concurrency ?? options.maxConcurrentTasks, options.maxConcurrentTasks),
    breaker: breakerPolicy(policy.breaker, options),
    rateLimit: policy.rateLimit,
    faultsOf: schema === undefined ? () => undefined : schemaCheck(schema),
    // What the handler's own schema has let through is the data it was written for.
    run: exported.run as LoadedHandler['run'],
  };
}

function breakerPolicy(
  wanted: HandlerPolicy['breaker'],
  options: ResolvedOptions,
): BreakerPolicy | undefined {
  if (wanted === false || (wanted === undefined && !options.breaker)) return undefined;
  const openMs = (wanted?.openSeconds ?? options.breakerOpenSeconds) * 1000;
  return {
    failureRate: wanted?.failureRate ?? options.breakerFailureRate,
    minimumFailures: wanted?.minimumFailures ?? options.breakerMinimumFailures,
    windowMs: (wanted?.windowSeconds ?? options.breakerWindowSeconds) * 1000,
    openMs,
    openMaxMs: Math.max(openMs, (wanted?.openMaxSeconds ?? options.breakerOpenMaxSeconds) * 1000),
    probes: wanted?.probes ?? options.breakerProbes,
  };
}

function isHandler(exported: unknown): exported is Handler {
  if (typeof exported !== 'object' || exported === null) return false;
  const { taskType, run, policy } = exported as Partial<Handler>; // each part is looked at
  return typeof taskType === 'string' && typeof run === 'function' && typeof policy === 'object';
}

// A wrong list of a hundred items would give a hundred faults; the first few tell what is wrong.
const MOST_FAULTS = 5;

/** Makes the check of data against a schema: what is wrong with it, nothing when it fits. */
export function schemaCheck(schema: TSchema): LoadedHandler['faultsOf'] {
  const validator = Compile(schema);
  return (data) => {
    if (validator.Check(data)) return undefined;
    const faults = validator.Errors(data)[1].slice(0, MOST_FAULTS);
    return faults
      .map((fault) => `${fault.instancePath === '' ? '/' : fault.instancePath} ${fault.message}`)
      .join('; ');
  };
}

function unusable(taskType: string, origin: string, what: string, cause?: unknown): SluiceError {
  return new SluiceError('HANDLER_MODULE', `handler of task type "${taskType}": ${origin} ${what}`, {
    cause,
  });
}

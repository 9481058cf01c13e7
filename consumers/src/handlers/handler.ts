import { type DataOf, type DEFAULT_TASK_TYPE, SluiceError, type TaskType } from '@sluice/contract';
import type { TSchema } from 'typebox';
import { faultsOfPolicy, type HandlerPolicy } from './handler-policy.js';

/** A task as its handler sees it. */
export interface Task<Data = unknown> {
  /** The UUID given out in the 202. Stays the same over all attempts: use it to make a handler idempotent. */
  readonly id: string;
  readonly type: string;
  /** Checked against the schema of its type. */
  readonly data: Data;
  /** Whatever object the producer sent along; empty when there was none. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** 1 on the first run. Above 1 the task has run before, in part or in whole. */
  readonly attempt: number;
  /**
   * When the engine accepted it, or the time of the run that a cron schedule enqueued it for, ISO 8601 in UTC; the empty
   * string when the producer gave none.
   */
  readonly timestamp: string;
  /** W3C traceparent of the request; the empty string when the producer gave none. */
  readonly traceparent: string;
  /** W3C tracestate of the request, to be sent on with its traceparent; the empty string when there is none. */
  readonly tracestate: string;
}

/** What a handler is given besides the task. */
export interface HandlerContext {
  /**
   * Aborted when what the handler still does no longer counts. The `name` of its reason says why: `TaskTimeout`, the
   * task has run out of time; `LeaseLost`, this process was frozen or cut off for so long that others have taken the
   * task over and may be running it.
   */
  readonly signal: AbortSignal;
}

/**
 * Works off one task. The task is acknowledged once the returned promise has resolved (at once when there is
 * none), and tried again later when it rejects.
 */
export type HandlerFunction<Data> = (task: Task<Data>, context: HandlerContext) => unknown;

/** A handler with what it needs: the default export of a handler module. Made by `defineHandler`. */
export interface Handler {
  readonly taskType: string;
  readonly schema: TSchema | undefined;
  // The function accepts what its schema has let through; nothing else may be passed, which `never` says.
  readonly run: HandlerFunction<never>;
  readonly policy: HandlerPolicy;
}

/**
 * Declares the handler of a task type; export it as the default of its own module, which the worker threads
 * load. Data that does not match the schema of the type never reaches it.
 *
 * @throws SluiceError `INVALID_OPTIONS` when the policy has a value that cannot be meant.
 *
 * @example
 * export default defineHandler(resizeImage, async (task, { signal }) => {
 *   await resize(task.data.url, task.data.width, { signal });
 * });
 */
export function defineHandler<T extends TaskType>(
  taskType: T,
  run: HandlerFunction<DataOf<T>>,
  policy?: HandlerPolicy,
): Handler;
/** Declares the handler of the tasks that were sent without a type; its data can be anything. */
export function defineHandler(
  taskType: typeof DEFAULT_TASK_TYPE,
  run: HandlerFunction<unknown>,
  policy?: HandlerPolicy,
): Handler;
export function defineHandler(
  taskType: TaskType | typeof DEFAULT_TASK_TYPE,
  run: HandlerFunction<never>,
  policy: HandlerPolicy = {},
): Handler {
  const name = typeof taskType === 'string' ? taskType : taskType.name;
  checkPolicy(name, policy);
  return { taskType: name, schema: typeof taskType === 'string' ? undefined : taskType.data, run, policy };
}

function checkPolicy(taskType: string, policy: HandlerPolicy): void {
  const faults = faultsOfPolicy(policy);
  if (faults.length > 0) {
    throw new SluiceError('INVALID_OPTIONS', `handler of task type "${taskType}": ${faults.join('; ')}`);
  }
}

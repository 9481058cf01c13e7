import type { Static, TSchema } from 'typebox';
import { SluiceError } from './errors.js';

/** The type of tasks sent to `POST /tasks`, which have no schema. */
export const DEFAULT_TASK_TYPE = 'default';

/**
 * Names a task type cannot have: `default` names tasks without a type, the stream of a type `dlq` would be the
 * dead-letter stream of a queue whose stream name does not end in `:stream` (see `queueKeys`), and `POST /tasks/batch`
 * takes many tasks.
 */
const TAKEN_NAMES: readonly string[] = [DEFAULT_TASK_TYPE, 'dlq', 'batch'];

/** What names of task types look like. */
export const TASK_TYPE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A kind of task: its name, and the schema its `data` has at the door and in the handler. */
export interface TaskType<Schema extends TSchema = TSchema> {
  readonly name: string;
  readonly data: Schema;
}

/** The type of `task.data` in a handler of this task type. */
export type DataOf<T extends TaskType> = Static<T['data']>;

/**
 * Declares a task type once for both ends: the engine validates bodies of `POST /tasks/{name}` with its
 * schema, the consumer hands its handler the same type.
 *
 * @throws SluiceError `INVALID_OPTIONS` when the name is not 1 to 64 letters, digits, `.`, `_` or `-`,
 * starting with a letter or digit, or is `default`, `dlq` or `batch`, which name something else.
 */
export function defineTaskType<const Schema extends TSchema>(name: string, data: Schema): TaskType<Schema> {
  if (!TASK_TYPE_NAME.test(name)) {
    throw new SluiceError(
      'INVALID_OPTIONS',
      `task type ${JSON.stringify(name)} is not a valid name; allowed: 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit`,
    );
  }
  if (TAKEN_NAMES.includes(name)) {
    throw new SluiceError(
      'INVALID_OPTIONS',
      `task type ${JSON.stringify(name)} is taken; allowed: any name but ${TAKEN_NAMES.join(', ')}`,
    );
  }
  return { name, data };
}

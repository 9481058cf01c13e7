import { defineTaskType, SluiceError, type TaskType } from '@sluice/contract';

/**
 * What was given as task types, if it is that: objects with a valid name, each only once, and a schema.
 *
 * @param source what the task types came from, for the message
 * @throws SluiceError `INVALID_OPTIONS` that names what is wrong
 */
export function requireTaskTypes(given: unknown, source: string): readonly TaskType[] {
  if (!Array.isArray(given)) throw invalid(source, `is ${kindOf(given)}; allowed: an array of task types`);
  const names = new Set<string>();
  given.forEach((entry: unknown, index) => {
    if (!isTaskTypeLike(entry)) {
      throw invalid(source, `entry ${index} is no task type; allowed: what defineTaskType() returns`);
    }
    defineTaskType(entry.name, entry.data); // throws when the name is not valid
    if (names.has(entry.name)) throw invalid(source, `two task types are named ${entry.name}`);
    names.add(entry.name);
  });
  return given as readonly TaskType[]; // each entry was looked at
}

function isTaskTypeLike(entry: unknown): entry is TaskType {
  if (typeof entry !== 'object' || entry === null) return false;
  const { name, data } = entry as Partial<TaskType>;
  return typeof name === 'string' && typeof data === 'object' && data !== null;
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function invalid(source: string, reason: string): SluiceError {
  return new SluiceError('INVALID_OPTIONS', `${source}: ${reason}`, { details: [{ path: source, reason }] });
}

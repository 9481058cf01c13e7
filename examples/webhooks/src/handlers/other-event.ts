import { defineHandler } from '@sluice/consumers';
import { type Happening, record } from './record.js';
import { words } from './wording.js';

/**
 * Any event without a schema of its own. Nothing has checked its data, so nothing is assumed about it.
 *
 * @param name name of the event, the part before its first dot: `star` of `star.created.json`
 */
export function describeOther(name: unknown, data: unknown): Happening {
  const event = typeof name === 'string' && name !== '' ? (name.split('.', 1)[0] ?? '') : 'unnamed';
  const action = field(data, 'action');
  const repository = field(field(data, 'repository'), 'full_name');
  const sender = field(field(data, 'sender'), 'login');
  const by = typeof sender === 'string' ? ` by ${sender}` : '';
  return {
    repository: typeof repository === 'string' ? repository : null,
    what: `${words(event)}${typeof action === 'string' ? ` ${words(action)}` : ''}${by}`.slice(0, 300),
    counts: {},
  };
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key] // an object that has the key
    : undefined;
}

export default defineHandler('default', (task) =>
  record(task, describeOther(task.metadata.event, task.data)),
);

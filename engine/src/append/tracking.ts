import { queueKeys, TRACKED_FIELD } from '@sluice/contract';
import { bulk } from './message-fields.js';
import { scriptOf } from './script-text.js';
import { type TaskName, taskIdOf } from './task-names.js';

const TRACK = scriptOf('track.lua');

/** What the command that stores a task says besides, where its status can be asked for. */
export interface Tracking {
  /** The script that stores a task, from the body of one that only does that. */
  script(store: string): string;
  /** How many keys it has more than that. */
  readonly keyCount: 0 | 1;
  /** That key, which comes after the others, as it is sent. */
  keyOf(task: TaskName): string;
  /** What is sent after the fields of the message: one field more, and an argument. */
  readonly tail: readonly string[];
}

/** Nothing. */
export const UNTRACKED: Tracking = { script: (store) => store, keyCount: 0, keyOf: () => '', tail: [] };

/** @param keptMs how long the status of a task is kept, from when it is due */
export function trackingOf(streamName: string, type: string, keptMs: number): Tracking {
  const keys = queueKeys(streamName);
  const stream = keys.stream(type);
  return {
    script: (store) => `local function store(KEYS, ARGV)\n${store}end\n${TRACK}`,
    keyCount: 1,
    keyOf: (task) => bulk(keys.tracked(stream, taskIdOf(task))),
    tail: [TRACKED_FIELD, String(keptMs), String(keptMs)],
  };
}

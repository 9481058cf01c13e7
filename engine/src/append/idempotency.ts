import { createHash } from 'node:crypto';
import { type ContentType, queueKeys } from '@sluice/contract';
import type { Due } from '../intake/due.js';
import { bulk, fieldWords, writeFields } from './message-fields.js';
import { dueText, SCHEDULE, scheduleKeys } from './schedule.js';
import { scriptOf } from './script-text.js';
import { type TaskName, taskIdOf } from './task-names.js';
import { type Tracking, UNTRACKED } from './tracking.js';
import type { XaddEncoder } from './xadd.js';

/** Under which key a task is to be stored once, and by what it is told from another task under the same key. */
export interface Once {
  readonly key: string;
  /** Whose key it is; see `QueueKeys.idempotency`. */
  readonly holder: string;
  readonly fingerprint: string;
}

/** Writes the command that stores one task, now or until it is due, unless its key is known. */
export type OnceEncoder = (once: Once, due: Due | undefined) => XaddEncoder;

export interface OnceOptions {
  /** Tasks that the schedule of the type holds at most. */
  readonly maxScheduled: number;
  /** With a number, Redis deletes the oldest entries beyond it. */
  readonly dropOldestAt: number | undefined;
  /** How long a key is known, in milliseconds. */
  readonly ttlMs: number;
  /** Whether the status of the tasks can be asked for. @default not */
  readonly tracking?: Tracking | undefined;
}

const APPEND = scriptOf('append.lua');
const ONCE = scriptOf('once.lua');

/** An encoder for the tasks of one type that come with an idempotency key. */
export function onceEncoder(streamName: string, type: string, options: OnceOptions): OnceEncoder {
  const keys = queueKeys(streamName);
  const stream = keys.stream(type);
  const { tracking = UNTRACKED } = options;
  const trimTo = String(options.dropOldestAt ?? 0);
  const now = headOf(APPEND, [stream], 1, tracking);
  const delayed = headOf(SCHEDULE, [stream, ...scheduleKeys(streamName, type)], 3, tracking);
  const bounds = bulk(String(options.maxScheduled)) + bulk(trimTo);
  const trim = bulk(trimTo);
  const tail = tracking.tail.map(bulk).join('');
  const ttl = bulk(String(options.ttlMs));
  return (once, due) => (into, task, timestamp, payload) => {
    const key = tracking.keyOf(task) + bulk(keys.idempotency(stream, once.key, once.holder));
    const { count, words } = due === undefined ? now : delayed;
    const given = due === undefined ? trim : bulk(dueText(due)) + bounds;
    into.text(`*${count + fieldWords(task)}\r\n${words}${key}${given}`);
    writeFields(into, type, task, timestamp, payload);
    into.text(tail + bulk(heldOf(task, once)) + ttl);
  };
}

/** Of a command, all up to its last key, and how many words it has besides the fields. */
function headOf(
  store: string,
  keys: readonly string[],
  argumentsOfStore: number,
  tracking: Tracking,
): { count: number; words: string } {
  const script = `#!lua\nlocal function store(KEYS, ARGV)\n${tracking.script(store)}end\n${ONCE}`;
  const moreKeys = tracking.keyCount + 1;
  const words = ['EVAL', script, String(keys.length + moreKeys), ...keys];
  const count = words.length + moreKeys + argumentsOfStore + tracking.tail.length + 2;
  return { count, words: words.map(bulk).join('') };
}

/** What Redis holds of a task by its key. */
export function heldOf(task: TaskName, { fingerprint }: Once): string {
  return `${taskIdOf(task)} ${fingerprint}`;
}

/** 128 bits of SHA-256, as base64url. */
const FINGERPRINT_LENGTH = 22;

/** By what a body is recognised, as it is stored: two that differ do not have the same. */
export function fingerprintOf(contentType: ContentType, payload: Uint8Array): string {
  const hash = createHash('sha256').update(contentType).update('\0').update(payload);
  return hash.digest('base64url').slice(0, FINGERPRINT_LENGTH);
}

/** The task that was stored first under a key. */
export interface KnownTask {
  readonly taskId: string;
  readonly fingerprint: string;
  /** When it is due, if it was stored for later. */
  readonly dueAt: number | undefined;
}

const HELD = /^([0-9a-f-]{36}) ([\w-]{22})(?: (\d{1,15}))?$/;

/** Reads what Redis holds by a key; undefined when it was not written by an engine. */
export function knownTaskOf(held: string): KnownTask | undefined {
  const [, taskId, fingerprint, dueAt] = HELD.exec(held) ?? [];
  if (taskId === undefined || fingerprint === undefined) return undefined;
  return { taskId, fingerprint, dueAt: dueAt === undefined ? undefined : Number(dueAt) };
}

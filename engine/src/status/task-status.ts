import { PARKED } from '@sluice/contract';

/** What can have become of a task, in one group or over all. */
export const STATUSES = ['queued', 'running', 'failed', 'done', 'dead', 'gone'] as const;

export type Status = (typeof STATUSES)[number];

/** A task in one group. Times are ISO 8601 in UTC. */
export interface GroupStatus {
  /**
   * - `queued`: waits for its time, or for a consumer; again, too, when it was given back or taken over
   * - `running`: a consumer has it
   * - `failed`: an attempt failed, and there will be another
   * - `done`, `dead`: it was acknowledged; it was moved to the dead letters
   * - `gone`: it is not in its stream any more, and nobody has said what became of it
   */
  readonly status: Status;
  /** Attempts that have failed. Of a task that is done, nobody knows any more. */
  readonly attempts?: number;
  /** Of a failed one. */
  readonly next_attempt_at?: string;
  /** Of one that is done or dead. Not known of a task that a consumer which is none of ours has acknowledged. */
  readonly finished_at?: string;
  /** Of a dead one. */
  readonly reason?: string;
  /** Of a dead one, while its dead letter is there. */
  readonly error?: { readonly name: string; readonly message: string };
}

/** The answer to whoever asks for a task. */
export interface TaskStatus extends GroupStatus {
  readonly task_id: string;
  readonly type: string;
  /** When a task that was put off is due. */
  readonly run_at?: string;
  /** When it came into its stream. */
  readonly queued_at?: string;
  /** What it is in each group, where there are several. */
  readonly groups?: Readonly<Record<string, GroupStatus>>;
}

/** As status.lua returns it. */
export type StatusReply = readonly [
  said: readonly string[],
  scheduled: 0 | 1,
  inStream: 0 | 1,
  groups: readonly GroupReply[],
  letters: readonly (readonly [group: string, errorName: string, errorMessage: string])[],
];

type GroupReply = readonly [
  name: string,
  lastDelivered: string,
  consumer: string,
  history: string,
  dueAt: string,
];

/** Most characters of an error message that are shown. */
const MESSAGE_SHOWN = 1000;

/** What is answered from what Redis said. */
export function taskStatusOf(taskId: string, type: string, reply: StatusReply): TaskStatus {
  const said = pairsOf(reply[0]);
  const entry = said.get('entry');
  const due = said.get('due');
  const names = {
    task_id: taskId,
    type,
    ...(due !== undefined && { run_at: isoOf(due) }),
    ...(entry !== undefined && { queued_at: isoOf(entry.split('-')[0]) }),
  };
  if (entry === undefined) return { ...names, status: reply[1] === 1 ? 'queued' : 'gone' };
  const groups = groupsOf(said, entry, reply);
  const all = [...groups.values()];
  const overall = FURTHEST_FROM_END.flatMap((status) => all.find((one) => one.status === status) ?? []);
  const none: GroupStatus = { status: reply[2] === 1 ? 'queued' : 'gone' };
  const whole = { ...names, ...(overall[0] ?? none) };
  return groups.size > 1 ? { ...whole, groups: Object.fromEntries(groups) } : whole;
}

/** Over several groups, a task is what it is in the group that has the most to do with it still. */
const FURTHEST_FROM_END: readonly Status[] = ['running', 'failed', 'queued', 'dead', 'gone', 'done'];

function groupsOf(said: ReadonlyMap<string, string>, entry: string, reply: StatusReply) {
  const [, , inStream, looked, letters] = reply;
  const groups = new Map<string, GroupStatus>();
  for (const [field, line] of said) {
    const group = /^group:(.*)$/s.exec(field)?.[1];
    const ended =
      group === undefined
        ? undefined
        : endOf(
            line,
            letters.find(([of]) => of === group),
          );
    if (group !== undefined && ended !== undefined) groups.set(group, ended);
  }
  // An entry that was taken out once all had settled it is no business of a group that has come since.
  const isOver = groups.size > 0 && inStream === 0;
  for (const group of looked) {
    if (!groups.has(group[0]) && !isOver) groups.set(group[0], stateOf(group, entry, inStream === 1));
  }
  return groups;
}

const END = /^(?:done (\d+)|dead (\d+) \S+ (\d+) (\S+))$/;

/** What a group has noted when it was through with the task. */
function endOf(line: string, letter: StatusReply[4][number] | undefined): GroupStatus | undefined {
  const [, doneAt, deadAt, attempts, reason] = END.exec(line) ?? [];
  if (doneAt !== undefined) return { status: 'done', finished_at: isoOf(doneAt) };
  if (deadAt === undefined || reason === undefined) return undefined;
  return {
    status: 'dead',
    attempts: Number(attempts),
    finished_at: isoOf(deadAt),
    reason,
    ...(letter !== undefined && { error: { name: letter[1], message: letter[2].slice(0, MESSAGE_SHOWN) } }),
  };
}

/** What a task is in a group that is not through with it, as far as it has said. */
function stateOf(
  [, lastDelivered, consumer, history, dueAt]: GroupReply,
  entry: string,
  inStream: boolean,
): GroupStatus {
  if (!inStream) return { status: 'gone' };
  const attempts = Number(history.split(':')[0] ?? 0);
  if (consumer === PARKED && attempts > 0) {
    return { status: 'failed', attempts, ...(dueAt !== '' && { next_attempt_at: isoOf(dueAt) }) };
  }
  if (consumer === PARKED) return { status: 'queued', attempts };
  if (consumer !== '') return { status: 'running', attempts };
  if (isBefore(lastDelivered, entry)) return { status: 'queued', attempts: 0 };
  // Acknowledged, by a consumer that is none of ours: one of ours would have said so.
  return { status: 'done' };
}

/** Whether an entry id is smaller than another. */
function isBefore(one: string, other: string): boolean {
  const [ms = 0n, sequence = 0n] = one.split('-').map(BigInt);
  const [otherMs = 0n, otherSequence = 0n] = other.split('-').map(BigInt);
  return ms === otherMs ? sequence < otherSequence : ms < otherMs;
}

function pairsOf(flat: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.set(flat[i] ?? '', flat[i + 1] ?? '');
  return pairs;
}

function isoOf(ms: string | undefined): string {
  return new Date(Math.floor(Number(ms))).toISOString();
}

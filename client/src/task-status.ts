/** What can have become of a task. */
export type Status =
  /** It waits for its time, or for a consumer. */
  | 'queued'
  /** A consumer has it. */
  | 'running'
  /** An attempt failed, and there will be another. */
  | 'failed'
  | 'done'
  /** It will not be tried again. */
  | 'dead'
  /** It is not in its stream any more, and nobody has said what became of it. */
  | 'gone';

/** A task in one consumer group. Times are ISO 8601 in UTC. */
export interface GroupStatus {
  readonly status: Status;
  /** Attempts that have failed so far, where that is known. */
  readonly attempts: number | undefined;
  /** Of a failed task. */
  readonly nextAttemptAt: string | undefined;
  /** Of a task that is done or dead. */
  readonly finishedAt: string | undefined;
  /** Why it is dead, such as `attempts-exhausted`. */
  readonly reason: string | undefined;
  /** The last error of a dead task, while its dead letter is there. */
  readonly error: { readonly name: string; readonly message: string } | undefined;
}

/** What is known of a task. Over several groups, it is what it is in the group that has most to do with it still. */
export interface TaskStatus extends GroupStatus {
  readonly taskId: string;
  readonly type: string;
  /** When it is due, if it was put off. */
  readonly runAt: string | undefined;
  /** When it came into its stream. */
  readonly queuedAt: string | undefined;
  /** What it is in each consumer group, where there are several. */
  readonly groups: Readonly<Record<string, GroupStatus>> | undefined;
}

/** Reads an answer of the service; undefined when it is none. */
export function taskStatusOf(answer: Record<string, unknown> | undefined): TaskStatus | undefined {
  const group = groupStatusOf(answer);
  if (answer === undefined || group === undefined || typeof answer.task_id !== 'string') return undefined;
  const { task_id: taskId, type, run_at, queued_at, groups } = answer;
  return {
    taskId,
    type: String(type),
    runAt: textOf(run_at),
    queuedAt: textOf(queued_at),
    ...group,
    groups: groupsOf(groups),
  };
}

function groupsOf(groups: unknown): Record<string, GroupStatus> | undefined {
  if (typeof groups !== 'object' || groups === null) return undefined;
  const read = Object.entries(groups).flatMap(([name, answer]) => {
    const group = groupStatusOf(answer as Record<string, unknown> | undefined); // a part of an answer
    return group === undefined ? [] : [[name, group] as const];
  });
  return Object.fromEntries(read);
}

function groupStatusOf(answer: Record<string, unknown> | undefined): GroupStatus | undefined {
  if (typeof answer?.status !== 'string') return undefined;
  const { status, attempts, next_attempt_at, finished_at, reason, error } = answer;
  return {
    status: status as Status, // one that a later version has is handed on as it is
    attempts: typeof attempts === 'number' ? attempts : undefined,
    nextAttemptAt: textOf(next_attempt_at),
    finishedAt: textOf(finished_at),
    reason: textOf(reason),
    error: typeof error === 'object' && error !== null ? (error as GroupStatus['error']) : undefined,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

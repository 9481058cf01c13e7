import { DEFAULT_TASK_TYPE } from './task-type.js';

/** The consumer that owns entries which wait for their time; no process goes by this name. */
export const PARKED = '~parked';

/**
 * Every Redis key of one Sluice queue, built from `REDIS_STREAM_NAME` (default `tasks:stream`).
 *
 * ```
 * tasks:stream            untyped tasks            (stream)
 * tasks:stream:<type>     tasks of one type        (stream)
 * <stream>:retries:<group>    entry id, by the time it is due    (sorted set)
 * <stream>:attempts:<group>   entry id -> failed attempts and first failure (hash)
 * <stream>:ledger:<group>     done, dead, retried ... (hash)
 * <stream>:breaker:<group>    state of the circuit breaker (hash)
 * <stream>:failures:<group>   failures that may open it, by time (sorted set)
 * <stream>:rate:<group>       tasks started lately, where their rate is limited (hash)
 * <stream>:scheduled:due      task id, by the time it is due     (sorted set)
 * <stream>:scheduled:tasks    task id -> its fields as MessagePack   (hash)
 * <stream>:scheduled:ledger   scheduled, promoted, lost   (hash)
 * <stream>:scheduled:lease    the consumer process that looks most often (string, expires)
 * tasks:stream:cron:runs      name of a cron schedule -> its last and its next run, and when it was last seen (hash)
 * tasks:dlq               dead-letter stream
 * idempotency:{<stream>}<holder>:<key>    id and fingerprint of the task that was sent with this `Idempotency-Key` (string, expires)
 * task:{<stream>}:<task id>       where a task that is tracked is, and what each group has made of it (hash, expires)
 * ```
 *
 * Names of task types have no colon, so that no stream of a type has the name of one of the other keys. Idempotency keys
 * are what clients say, and they and those of tracked tasks may be millions: hence beginnings of their own, which no search for
 * the keys of a queue meets, and the braces, which say where the stream ends, and put the key into the slot of its stream in a cluster.
 */
export interface QueueKeys {
  /** The stream that tasks of this type are appended to. */
  stream(type: string): string;
  /** When each parked entry of a stream is due again, in Redis milliseconds. */
  retries(stream: string, group: string): string;
  /** Failed attempts of the entries of a stream that have failed before. */
  attempts(stream: string, group: string): string;
  /**
   * How many tasks of a stream a group has settled, and how. For each stream by itself, so that each can be balanced
   * against its own number of appends.
   */
  ledger(stream: string, group: string): string;
  /** The circuit breaker of the tasks of a stream. */
  breaker(stream: string, group: string): string;
  /** The failures of the last while that may open the circuit breaker. */
  failures(stream: string, group: string): string;
  /** How many tasks of a stream were started lately, where there is a limit. */
  rate(stream: string, group: string): string;
  /** Where the tasks of a stream wait that are not due yet. */
  schedule(stream: string): ScheduleKeys;
  /**
   * By the name of each cron schedule: `<last run>:<next run>:<when a consumer last had it>`, in Redis milliseconds.
   * Before the first run, the first is when the schedule became known, and the second is 0.
   */
  readonly cronRuns: string;
  /**
   * What is known of the task that was sent to a stream with an idempotency key: its id, a space, its fingerprint, and
   * with a delayed one another space and the Unix milliseconds it is due at.
   *
   * @param holder name of the API key that it came with, so that nobody learns of, or gets in the way of, the keys of
   * others; it has no colon. Empty where no API keys are asked for.
   */
  idempotency(stream: string, key: string, holder: string): string;
  /**
   * Of a task whose status can be asked for: `entry`, the id of its entry, once it has one; `due`, the Unix milliseconds
   * it was put off to; and `group:<group>` for each group that is through with it: `done <when>`, or
   * `dead <when> <id of its dead letter> <attempts> <reason>`, in Redis milliseconds.
   */
  tracked(stream: string, taskId: string): string;
  /** Tasks that will not be tried again, with the reason. */
  readonly deadLetters: string;
}

/** The keys of the tasks that have been accepted for later. Every group is given them once they are due. */
export interface ScheduleKeys {
  /** When each task is due, in Redis milliseconds, by its task id. */
  readonly due: string;
  /** The fields of each task: name, value, name, value … as a MessagePack array of binary strings. */
  readonly tasks: string;
  /** How many tasks were ever scheduled, promoted to the stream, and lost. */
  readonly ledger: string;
  /** Who looks for due tasks most often; others only make sure. */
  readonly lease: string;
}

/** The keys of the queue whose untyped stream has this name. */
export function queueKeys(streamName: string): QueueKeys {
  const namespace = streamName.endsWith(':stream') ? streamName.slice(0, -':stream'.length) : streamName;
  return {
    stream: (type) => (type === DEFAULT_TASK_TYPE ? streamName : `${streamName}:${type}`),
    retries: (stream, group) => `${stream}:retries:${group}`,
    attempts: (stream, group) => `${stream}:attempts:${group}`,
    ledger: (stream, group) => `${stream}:ledger:${group}`,
    breaker: (stream, group) => `${stream}:breaker:${group}`,
    failures: (stream, group) => `${stream}:failures:${group}`,
    rate: (stream, group) => `${stream}:rate:${group}`,
    schedule: (stream) => ({
      due: `${stream}:scheduled:due`,
      tasks: `${stream}:scheduled:tasks`,
      ledger: `${stream}:scheduled:ledger`,
      lease: `${stream}:scheduled:lease`,
    }),
    cronRuns: `${streamName}:cron:runs`,
    idempotency: (stream, key, holder) => `idempotency:{${stream}}${holder}:${key}`,
    tracked: (stream, taskId) => `task:{${stream}}:${taskId}`,
    deadLetters: `${namespace}:dlq`,
  };
}

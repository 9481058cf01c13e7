import {
  DEFAULT_TASK_TYPE,
  defineTaskType,
  describeThrown,
  type Fault,
  SluiceError,
  type TaskType,
} from '@sluice/contract';
import { Compile } from 'typebox/schema';
import { type RunTimes, runTimesOf } from './run-times.js';

/** Enqueues a task at the times of a cron pattern, each run once, however many consumers have the schedule. */
export interface CronSchedule {
  /** Names the schedule in the queue: consumers that have one of this name share its runs. 1 to 128 characters. */
  name: string;
  /** Five fields, from minutes to days of the week; six with seconds in front; seven with years behind. */
  cron: string;
  /** IANA name of the zone the pattern is read in. @default 'UTC' */
  timeZone?: string;
  /** Type of the task; given as a task type, its data is checked at start. @default 'default' */
  type?: string | TaskType;
  /** The data of each task, as JSON. */
  data: unknown;
  /** @default none */
  metadata?: Readonly<Record<string, unknown>>;
}

/** A schedule that has been looked at. */
export interface ResolvedSchedule {
  readonly name: string;
  readonly times: RunTimes;
  readonly taskType: string;
  /** The envelope, as JSON. */
  readonly payload: string;
}

/** Each is a field of one hash, and asked for in one call. */
const MOST_SCHEDULES = 1000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const MOST_PAYLOAD_BYTES = 1_048_576;
const KEYS: readonly string[] = ['name', 'cron', 'timeZone', 'type', 'data', 'metadata'];

/**
 * Checks a list of schedules.
 *
 * @param source where it comes from, for the messages
 * @throws SluiceError `INVALID_OPTIONS` with one fault per schedule that is wrong, all at once
 */
export function resolveSchedules(given: unknown, source: string): ResolvedSchedule[] {
  if (!Array.isArray(given)) {
    throw invalid([{ path: source, reason: 'is no list; allowed: an array of { name, cron, type, data }' }]);
  }
  if (given.length > MOST_SCHEDULES) {
    throw invalid([
      { path: source, reason: `has ${given.length} schedules; allowed: up to ${MOST_SCHEDULES}` },
    ]);
  }
  const resolved: ResolvedSchedule[] = [];
  const faults: Fault[] = [];
  const names = new Set<string>();
  for (const [index, one] of given.entries()) {
    try {
      const schedule = resolveOne(one);
      if (names.has(schedule.name))
        throw new Wrong('name', `is ${schedule.name} as that of another; allowed: each once`);
      names.add(schedule.name);
      resolved.push(schedule);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      faults.push({
        path: [`${source}.${index}`, error.part].filter(Boolean).join('.'),
        reason: error.message,
      });
    }
  }
  if (faults.length > 0) throw invalid(faults);
  return resolved;
}

/** Something of one schedule is wrong; `part` names its property. */
class Wrong extends Error {
  constructor(
    readonly part: string,
    reason: string,
  ) {
    super(reason);
  }
}

function resolveOne(given: unknown): ResolvedSchedule {
  if (typeof given !== 'object' || given === null)
    throw new Wrong('', 'is no object; allowed: { name, cron, type, data }');
  const {
    name,
    cron,
    timeZone = 'UTC',
    type = DEFAULT_TASK_TYPE,
    data,
    metadata,
  } = given as Record<string, unknown>;
  const unknown = Object.keys(given).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw new Wrong(unknown, `is not known; allowed: ${KEYS.join(', ')}`);
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new Wrong(
      'name',
      `is ${shown(name)}; allowed: 1 to 128 letters, digits, ".", "_", ":" or "-", the first a letter or digit`,
    );
  }
  return {
    name,
    times: timesOf(cron, timeZone),
    taskType: typeNameOf(type),
    payload: payloadOf(type, data, metadata),
  };
}

function timesOf(cron: unknown, timeZone: unknown): RunTimes {
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone)) {
    throw new Wrong('timeZone', `is ${shown(timeZone)}; allowed: an IANA name such as Europe/Berlin`);
  }
  if (typeof cron !== 'string') throw new Wrong('cron', `is ${shown(cron)}; allowed: a cron pattern`);
  let times: RunTimes;
  try {
    times = runTimesOf(cron, timeZone);
  } catch (error) {
    throw new Wrong('cron', `is ${shown(cron)}, which is no cron pattern: ${describeThrown(error).message}`);
  }
  if (times.next(Date.now()) === undefined) throw new Wrong('cron', `is ${shown(cron)}, which never comes`);
  return times;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function typeNameOf(type: unknown): string {
  const name = isTaskType(type) ? type.name : type;
  if (name === DEFAULT_TASK_TYPE) return name;
  try {
    return defineTaskType(String(name), {}).name;
  } catch (error) {
    throw new Wrong('type', describeThrown(error).message);
  }
}

function isTaskType(type: unknown): type is TaskType {
  return typeof type === 'object' && type !== null && 'name' in type && 'data' in type;
}

function payloadOf(type: unknown, data: unknown, metadata: unknown): string {
  const isMap = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata);
  if (metadata !== undefined && !isMap)
    throw new Wrong('metadata', `is ${shown(metadata)}; allowed: an object`);
  let payload: string;
  try {
    payload = JSON.stringify({ data, metadata });
  } catch (error) {
    throw new Wrong('data', `is nothing that JSON can say: ${describeThrown(error).message}`);
  }
  const envelope: { data?: unknown } = JSON.parse(payload); // what the handler will see
  if (envelope.data === undefined) throw new Wrong('data', 'is missing; allowed: anything that JSON can say');
  if (isTaskType(type)) {
    const [, [fault]] = Compile(type.data).Errors(envelope.data);
    if (fault !== undefined) {
      throw new Wrong(
        'data',
        `does not match the schema of ${type.name}: ${fault.instancePath || '/'} ${fault.message}`,
      );
    }
  }
  const bytes = Buffer.byteLength(payload);
  if (bytes > MOST_PAYLOAD_BYTES)
    throw new Wrong('data', `has ${bytes} bytes; allowed: up to ${MOST_PAYLOAD_BYTES}`);
  return payload;
}

function shown(value: unknown): string {
  return typeof value === 'string'
    ? JSON.stringify(value)
    : value === undefined
      ? 'not set'
      : `a ${typeof value}`;
}

function invalid(details: readonly Fault[]): SluiceError {
  const lines = details.map(({ path, reason }) => `${path} ${reason}`);
  return new SluiceError('INVALID_OPTIONS', lines.join('\n'), { details });
}

import type { LoadedHandler } from '../handlers/handler-registry.js';
import type { LaneKeys } from '../redis/group.js';
import { LaneBreaker } from '../settling/breaker.js';
import type { TaskSpan } from '../traces/task-spans.js';
import type { LaneRate } from './rate-limit.js';

/** One task type within a thread: its stream, and what of it waits and runs here. */
export class Lane {
  readonly index: number;
  readonly keys: LaneKeys;
  /** Most tasks of this lane that run at once in this thread; 0 when other threads have them all. */
  readonly limit: number;
  readonly breaker: LaneBreaker;
  readonly rate: LaneRate | undefined;
  /**
   * How long after it was asked for a task may be started. Later, others may have taken it over: a process that was
   * frozen finds deliveries that are long void. And its place within a rate limit is gone.
   */
  readonly startWithinMs: number;
  /** Delivered, not started yet. */
  readonly waiting: Entry[] = [];
  running = 0;
  /** The last read brought as many as were asked for. */
  mayHaveMore = false;
  /** Entries that are due may have found no place. */
  dueWaiting = false;
  /** Who gets the next place when both want it: under load neither retries nor new tasks may wait for ever. */
  next: 'due' | 'new' = 'due';
  /** Not read before this time, by performance.now(): its key is no stream, for instance. */
  unreadableUntil = 0;

  constructor(
    index: number,
    keys: LaneKeys,
    limit: number,
    leaseMs = Number.POSITIVE_INFINITY,
    breaker = new LaneBreaker(),
    rate?: LaneRate,
  ) {
    this.index = index;
    this.keys = keys;
    this.limit = limit;
    this.breaker = breaker;
    this.rate = rate;
    this.startWithinMs = Math.min(leaseMs, rate?.startWithinMs ?? leaseMs);
  }

  /** New entries are handed out by a script (take-due.lua), because not everybody may take as many as there are. */
  get served(): boolean {
    return this.rate !== undefined || !this.breaker.closed;
  }
}

/** Whether the next place of a lane is kept for what is due there, and not read for. */
export function isKeptForDue(lane: Lane): boolean {
  return lane.dueWaiting && lane.next === 'due';
}

/** An entry of a stream that was delivered to this thread, until Redis has confirmed what became of it. */
export class Entry {
  readonly id: string;
  readonly lane: Lane;
  /** Its place on the thread's board. */
  readonly slot: number;
  /** Let go of once they are decoded: each is a part of a whole chunk that came from the socket. */
  fields: readonly Buffer[];
  /** How often it was handed out, this time included. */
  readonly deliveries: number;
  /** Failed attempts so far. */
  readonly failed: number;
  /** Runs so far that nobody saw the end of. */
  readonly crashes: number;
  /** Names for events, known once the entry was read as a task. */
  taskId = '';
  taskType = '';
  traceContext = '';
  traceState = '';
  /** Whether the status of its task can be asked for. */
  isTracked = false;
  /** Who runs it; known once it was started. */
  handler: LoadedHandler | undefined = undefined;
  /** When its handler runs out of time, by performance.now(). */
  deadline = 0;
  /** Made when the handler first asks for its signal. */
  controller: AbortController | undefined = undefined;
  /** Why its signal is aborted, or will be as soon as it is asked for. */
  abortReason: Error | undefined = undefined;
  /** It is a probe of this round of its breaker; 0 when it is none. */
  round = 0;
  /** The last round of its breaker that was over when it was started; see `LaneBreaker.roundOver`. */
  roundOver = 0;
  /** Must not be started later than this, by performance.now(); see `Lane.startWithinMs`. */
  startBefore = Number.POSITIVE_INFINITY;
  /** Its outcome is decided: what its handler still does no longer counts. */
  decided = false;
  /** The span of its run, where tasks are traced. */
  span: TaskSpan | undefined = undefined;

  constructor(
    id: string,
    lane: Lane,
    slot: number,
    fields: readonly Buffer[],
    deliveries: number,
    failed: number,
    crashes: number,
  ) {
    this.id = id;
    this.lane = lane;
    this.slot = slot;
    this.fields = fields;
    this.deliveries = deliveries;
    this.failed = failed;
    this.crashes = crashes;
  }

  /** How long ago its handler was called; 0 when it was not. */
  ranMs(now: number): number {
    return this.handler === undefined
      ? 0
      : Math.max(0, Math.round(now - this.deadline + this.handler.timeoutMs));
  }
}

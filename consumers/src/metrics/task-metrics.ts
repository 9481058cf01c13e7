import {
  bytesOfHistograms,
  DELAY_SECONDS,
  HistogramTable,
  TASK_SECONDS,
  WAIT_SECONDS,
} from '@sluice/telemetry';

/** How a run ended. */
export const RESULTS = ['done', 'failed'] as const;

/** What was written of a run. */
export const OUTCOMES = ['done', 'retried', 'dead', 'released', 'fenced', 'lost'] as const;
export type TaskOutcome = (typeof OUTCOMES)[number];

/** Counters besides the outcomes. */
const EVENTS = ['timeouts', 'rateLimitWaits'] as const;
type TaskEvent = (typeof EVENTS)[number];

/** What holds at the moment. */
const STATES = ['running', 'waiting', 'breaker'] as const;
type TaskState = (typeof STATES)[number];

export const BREAKER_STATES = { closed: 0, 'half-open': 1, open: 2 } as const;

const NUMBERS = OUTCOMES.length + EVENTS.length + STATES.length;

/** How much memory the figures of so many lanes take. */
export function bytesOfTaskMetrics(lanes: number): number {
  return offsetsOf(lanes).end;
}

function offsetsOf(lanes: number) {
  const durations = lanes * NUMBERS * Float64Array.BYTES_PER_ELEMENT;
  const waits = durations + bytesOfHistograms(TASK_SECONDS, lanes * RESULTS.length);
  const delays = waits + bytesOfHistograms(WAIT_SECONDS, lanes);
  return { durations, waits, delays, end: delays + bytesOfHistograms(DELAY_SECONDS, 1) };
}

/**
 * What a worker thread counts, by lane, in memory it shares with the main thread: nothing per task is sent, and what a
 * thread has counted is still there when it hangs or has died. Only the thread writes. A reader may see a run in one
 * figure and not yet in another.
 *
 * ```
 * │ outcomes, events, states of lane 0, lane 1 … │ durations (done, failed) by lane │ waits by lane │ event-loop delay │
 * ```
 */
export class TaskMetrics {
  readonly lanes: number;
  private readonly numbers: Float64Array;
  private readonly durations: HistogramTable;
  private readonly waits: HistogramTable;
  private readonly delays: HistogramTable;

  constructor(
    lanes: number,
    readonly memory = new SharedArrayBuffer(bytesOfTaskMetrics(lanes)),
  ) {
    const offsets = offsetsOf(lanes);
    this.lanes = lanes;
    this.numbers = new Float64Array(memory, 0, lanes * NUMBERS);
    this.durations = new HistogramTable(TASK_SECONDS, lanes * RESULTS.length, memory, offsets.durations);
    this.waits = new HistogramTable(WAIT_SECONDS, lanes, memory, offsets.waits);
    this.delays = new HistogramTable(DELAY_SECONDS, 1, memory, offsets.delays);
  }

  /** Where the delays of the event loop lie. */
  get delaysOffset(): number {
    return offsetsOf(this.lanes).delays;
  }

  /** A task has been started for the first time, so long after it came into its stream. */
  waited(lane: number, seconds: number): void {
    this.waits.record(lane, seconds);
  }

  /** A handler is through, after so long. */
  ran(lane: number, isDone: boolean, seconds: number): void {
    this.durations.record(lane * RESULTS.length + (isDone ? 0 : 1), seconds);
  }

  settled(lane: number, outcome: TaskOutcome, count: number): void {
    this.add(lane, OUTCOMES.indexOf(outcome), count);
  }

  happened(lane: number, event: TaskEvent): void {
    this.add(lane, OUTCOMES.length + EVENTS.indexOf(event), 1);
  }

  is(lane: number, state: TaskState, value: number): void {
    this.numbers[lane * NUMBERS + OUTCOMES.length + EVENTS.length + STATES.indexOf(state)] = value;
  }

  outcome(lane: number, outcome: TaskOutcome): number {
    return this.at(lane, OUTCOMES.indexOf(outcome));
  }

  count(lane: number, event: TaskEvent): number {
    return this.at(lane, OUTCOMES.length + EVENTS.indexOf(event));
  }

  state(lane: number, state: TaskState): number {
    return this.at(lane, OUTCOMES.length + EVENTS.length + STATES.indexOf(state));
  }

  duration(lane: number, result: (typeof RESULTS)[number]): Float64Array {
    return this.durations.copyOf(lane * RESULTS.length + RESULTS.indexOf(result));
  }

  wait(lane: number): Float64Array {
    return this.waits.copyOf(lane);
  }

  get delay(): Float64Array {
    return this.delays.copyOf(0);
  }

  /** Adds what another thread has counted; of states, the sum, and of breakers the most severe. */
  addAll(other: TaskMetrics): void {
    for (let lane = 0; lane < this.lanes; lane++) {
      const breaker = Math.max(this.state(lane, 'breaker'), other.state(lane, 'breaker'));
      for (let i = 0; i < NUMBERS; i++) this.add(lane, i, other.at(lane, i));
      this.is(lane, 'breaker', breaker);
      for (const [n, result] of RESULTS.entries()) {
        this.durations.add(lane * RESULTS.length + n, other.duration(lane, result));
      }
      this.waits.add(lane, other.wait(lane));
    }
    this.delays.add(0, other.delay);
  }

  /** A thread has ended: what it counted stays, what it was doing does not. */
  forgetStates(): void {
    for (let lane = 0; lane < this.lanes; lane++) for (const state of STATES) this.is(lane, state, 0);
  }

  private at(lane: number, place: number): number {
    return this.numbers[lane * NUMBERS + place] as number; // a lane of ours
  }

  private add(lane: number, place: number, count: number): void {
    this.numbers[lane * NUMBERS + place] = this.at(lane, place) + count;
  }
}

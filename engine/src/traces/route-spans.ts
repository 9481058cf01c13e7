import { TASK_ID_LENGTH, TRACEPARENT_LENGTH, writeTraceparent } from '@sluice/contract';
import { continueTrace, type RequestTraces, type SpanName } from '@sluice/telemetry';
import { type RefusalCode, STATUS } from '../http/answers.js';
import { microsNow } from '../metrics/micros-now.js';

/** The error of a request whose client went away before the answer. */
const CLIENT_GONE = 'CLIENT_GONE';
/** Its status, as nginx has it: there is none of HTTP's. */
const CLIENT_GONE_STATUS = 499;

/** What requests are answered with, by its number; the first is none. */
export const SPAN_ERRORS: readonly string[] = ['', CLIENT_GONE, ...Object.keys(STATUS)];
const NUMBER_OF_ERROR: ReadonlyMap<string, number> = new Map(
  SPAN_ERRORS.map((error, number) => [error, number]),
);

/** Makes the `api_request_span` of each request of one route. */
export class RouteSpans {
  /** @param route its number */
  constructor(
    private readonly traces: RequestTraces,
    private readonly route: number,
  ) {}

  /** Makes the span of a name continue the trace that its request came with. Returns what it continues. */
  continued(names: Uint8Array, nameAt: number, parent: string | undefined): string | undefined {
    if (parent !== undefined) continueTrace({ names, nameAt }, parent);
    return parent;
  }

  /** A name for a request that has no single task. */
  newName(parent: string | undefined): SpanName {
    const names = new Uint8Array(TASK_ID_LENGTH + TRACEPARENT_LENGTH);
    writeTraceparent(names, TASK_ID_LENGTH);
    const name = { names, nameAt: 0 };
    if (parent !== undefined) continueTrace(name, parent);
    return name;
  }

  /**
   * A request was answered.
   *
   * @param parent the traceparent it came with, if that was a valid one
   * @param startedAt by `microsNow`, as `endedAt`
   * @param tasks of its batch; `SINGLE_TASK`: the one of its name; 0: none that is stored by this name
   */
  answered(
    name: SpanName,
    parent: string | undefined,
    startedAt: number,
    endedAt: number,
    status: number,
    tasks: number,
    code?: RefusalCode | typeof CLIENT_GONE,
  ): void {
    const { clock, recorder } = this.traces;
    const error = code === undefined ? 0 : (NUMBER_OF_ERROR.get(code) ?? 0);
    const ended = clock.ofMicros(endedAt);
    const started = ended - ((endedAt - startedAt) | 0) / 1000;
    recorder.request(name, parent, started, ended, this.route, status, error, tasks);
  }

  /** A request was refused. */
  refused(
    name: SpanName,
    parent: string | undefined,
    startedAt: number,
    endedAt: number,
    code: RefusalCode,
    tasks: number,
  ): void {
    this.answered(name, parent, startedAt, endedAt, numberOf(STATUS[code]), tasks, code);
  }

  /** Its client went away before the answer. */
  aborted(name: SpanName, parent: string | undefined, startedAt: number, tasks: number): void {
    this.answered(name, parent, startedAt, microsNow(), CLIENT_GONE_STATUS, tasks, CLIENT_GONE);
  }

  /** A name for a request that is refused by its head: valid until the next call. */
  nameAtOnce(parent: string | undefined): SpanName {
    return this.traces.recorder.nameOfNone(parent);
  }

  abortedAtOnce(parent: string | undefined, startedAt: number): void {
    this.aborted(this.nameAtOnce(parent), parent, startedAt, 0);
  }
}

/** The number that a status line begins with. */
export function numberOf(status: string): number {
  return Number(status.slice(0, 3));
}

/** The traceparent of a name, for the answer and for the tasks of a batch. */
export function traceparentOf({ names, nameAt }: SpanName): string {
  const start = names.byteOffset + nameAt + TASK_ID_LENGTH;
  return Buffer.from(names.buffer, start, TRACEPARENT_LENGTH).toString('latin1');
}

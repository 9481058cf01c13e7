import type { RequestTraces, SpanName } from '@sluice/telemetry';

/** Makes the `redis_operations_span` of each write to Redis. */
export class WriteSpans {
  private last = 0;

  constructor(private readonly traces: RequestTraces) {}

  /** A number for the next write; its requests may refer to it before it is made. */
  next(): number {
    this.last = this.last === 0xffff_ffff ? 1 : this.last + 1;
    return this.last;
  }

  /** So many tasks are written now. */
  begin(number: number, tasks: number): WriteSpan {
    return new WriteSpan(this.traces, number, tasks);
  }

  /** From here to {@link leave}, requests that end are part of the write with this number. */
  enter(number: number): void {
    this.traces.recorder.current = number;
  }

  leave(): void {
    this.traces.recorder.current = 0;
  }
}

/** One write, from when it is sent to when the last of its tasks is settled. */
export class WriteSpan {
  private readonly startedAt: number;
  private settled = 0;
  private failed = 0;

  constructor(
    private readonly traces: RequestTraces,
    private readonly number: number,
    private readonly tasks: number,
  ) {
    this.startedAt = traces.clock.now();
  }

  /** Tasks of a request with many are part of it. */
  link(request: SpanName): void {
    this.traces.recorder.link(request, this.number);
  }

  /** From here to {@link leave}, requests that end are part of it. */
  enter(): void {
    this.traces.recorder.current = this.number;
  }

  /** So many of its tasks are settled. */
  leave(count: number, hasFailed: boolean): void {
    const { recorder, clock } = this.traces;
    recorder.current = 0;
    this.settled += count;
    if (hasFailed) this.failed += count;
    if (this.settled === this.tasks) {
      recorder.write(this.number, this.startedAt, clock.now(), this.tasks, this.failed);
    }
  }
}

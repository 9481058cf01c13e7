import { countOf, HistogramTable, REQUEST_SECONDS, type RequestFigures } from '@sluice/telemetry';
import type { RouteSpans } from '../traces/route-spans.js';
import { microsNow } from './micros-now.js';

/** Classes of status, as they are counted. */
export const STATUS_CLASSES = ['2xx', '4xx', '5xx'] as const;
export type StatusClass = 0 | 1 | 2;
export const SUCCEEDED: StatusClass = 0;

/** The class of a status line. */
export function statusClassOf(status: string): StatusClass {
  const digit = status.charCodeAt(0) - 0x30;
  return digit === 5 ? 2 : digit === 4 ? 1 : SUCCEEDED;
}

/** How long the requests of one route took. */
export class RouteTimes {
  /** Makes their spans, where there are spans. */
  spans: RouteSpans | undefined = undefined;

  constructor(
    private readonly table: HistogramTable,
    private readonly abortions: Float64Array,
    private readonly changed: Uint8Array,
    private readonly index: number,
  ) {}

  /** A request has been answered that arrived at a time of {@link microsNow}. Returns the time now. */
  answered(startedAt: number, status: StatusClass): number {
    const now = microsNow();
    this.changed[this.index] = 1;
    this.table.record(this.index * STATUS_CLASSES.length + status, ((now - startedAt) | 0) / 1_000_000);
    return now;
  }

  /** The client of a request went away before its answer. */
  aborted(): void {
    this.changed[this.index] = 1;
    this.abortions[this.index] = (this.abortions[this.index] as number) + 1; // one for each route
  }
}

/** The times of all requests of this process, by route: as many routes as task types are known, and no more. */
export class RequestTimes {
  /** Of requests that lead to no task: probes, documents, and what is not there. */
  readonly other: RouteTimes;
  /** Of those that ask what became of a task. */
  readonly status: RouteTimes;
  private readonly routes: { route: string; taskType: string }[];
  private readonly table: HistogramTable;
  private readonly abortions: Float64Array;
  private readonly changed: Uint8Array;

  /** @param types the registered task types */
  constructor(
    private readonly untyped: string,
    private readonly types: readonly string[],
  ) {
    this.routes = [
      { route: 'other', taskType: '' },
      ...[untyped, ...types].flatMap((taskType) => {
        const path = taskType === untyped ? '/tasks' : '/tasks/{type}';
        return [
          { route: path, taskType },
          { route: `${path}/batch`, taskType },
        ];
      }),
      { route: '/tasks/{id}', taskType: '' },
    ];
    this.table = new HistogramTable(REQUEST_SECONDS, this.routes.length * STATUS_CLASSES.length);
    this.abortions = new Float64Array(this.routes.length);
    this.changed = new Uint8Array(this.routes.length);
    this.other = this.at(0);
    this.status = this.at(this.routes.length - 1);
  }

  /** Where the single tasks of a type are counted, and its batches. */
  of(taskType: string): { times: RouteTimes; batchTimes: RouteTimes } {
    const index = 1 + 2 * (taskType === this.untyped ? 0 : 1 + this.types.indexOf(taskType));
    return { times: this.at(index), batchTimes: this.at(index + 1) };
  }

  /** All routes that had requests since the last call, each with all it had since the start. */
  takeChanged(): RequestFigures[] {
    const figures: RequestFigures[] = [];
    for (const [index, { route, taskType }] of this.routes.entries()) {
      if (this.changed[index] === 0) continue;
      this.changed[index] = 0;
      figures.push({
        route,
        taskType,
        aborted: this.abortions[index] as number, // one for each route
        durations: this.durationsOf(index),
      });
    }
    return figures;
  }

  private durationsOf(index: number): Record<string, Float64Array> {
    const rows = STATUS_CLASSES.map((_, n) => this.table.copyOf(index * STATUS_CLASSES.length + n));
    const named = STATUS_CLASSES.map((status, n) => [status, rows[n] ?? new Float64Array()] as const);
    return Object.fromEntries(named.filter(([, row]) => countOf(row) > 0));
  }

  private at(index: number): RouteTimes {
    return new RouteTimes(this.table, this.abortions, this.changed, index);
  }
}

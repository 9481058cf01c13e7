import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { DEFAULT_TASK_TYPE } from '@sluice/contract';
import {
  type EngineListener,
  RequestTraces,
  type SpanCounts,
  type SpanRoute,
  spanDestinationOf,
} from '@sluice/telemetry';
import type { ResolvedEngineOptions } from '../options.js';
import { RouteSpans, SPAN_ERRORS } from './route-spans.js';
import { WriteSpans } from './write-spans.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The spans that an engine makes. */
export class EngineTraces {
  readonly writes: WriteSpans;
  private readonly traces: RequestTraces;
  private readonly routes: readonly SpanRoute[];

  private constructor(
    traces: RequestTraces,
    routes: readonly SpanRoute[],
    private readonly Spans: typeof RouteSpans,
  ) {
    this.traces = traces;
    this.routes = routes;
    this.writes = new WriteSpans(traces);
  }

  /** Nothing where the options name nobody who receives spans. */
  static of(
    options: ResolvedEngineOptions,
    types: readonly string[],
    listener: EngineListener,
    Spans = RouteSpans,
  ): EngineTraces | undefined {
    const destination = spanDestinationOf(options);
    if (destination === undefined) return undefined;
    const routes = [DEFAULT_TASK_TYPE, ...types].flatMap(routesOf);
    const serviceName = options.traceServiceName ?? options.serviceName;
    const traces = new RequestTraces({
      destination,
      source: {
        serviceName,
        resource: {
          'service.name': serviceName,
          'service.version': options.serviceVersion,
          'service.instance.id': `${hostname()}:${process.pid}`,
        },
        scope: { name: '@sluice/engine', version },
        routes,
        errors: SPAN_ERRORS,
      },
      onDropped: ({ count, reasons }) => listener({ type: 'spans-dropped', count, reasons }),
      onError: (error) => listener({ type: 'internal-error', where: 'the thread of the spans', error }),
    });
    return new EngineTraces(traces, routes, Spans);
  }

  get counts(): SpanCounts {
    return this.traces.counts;
  }

  /** The spans of the single tasks of a type, and of its batches. */
  routesOf(type: string): { spans: RouteSpans; batchSpans: RouteSpans } {
    const { Spans, traces, routes } = this;
    const index = routes.findIndex(({ taskType }) => taskType === type);
    return { spans: new Spans(traces, index), batchSpans: new Spans(traces, index + 1) };
  }

  /** Delivers what there is; resolves within little more than so many milliseconds, delivered or not. */
  stop(withinMs: number): Promise<void> {
    return this.traces.stop(withinMs);
  }
}

/** The route of its single tasks, then that of its batches. */
function routesOf(taskType: string): SpanRoute[] {
  const isUntyped = taskType === DEFAULT_TASK_TYPE;
  const path = isUntyped ? '/tasks' : `/tasks/${taskType}`;
  const route = isUntyped ? '/tasks' : '/tasks/{type}';
  return [
    { path, route, taskType },
    { path: `${path}/batch`, route: `${route}/batch`, taskType },
  ];
}

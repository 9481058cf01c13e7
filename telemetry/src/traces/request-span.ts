/** A path that takes tasks. */
export interface SpanRoute {
  /** As `/tasks/resize`. */
  readonly path: string;
  /** As `/tasks/{type}`. */
  readonly route: string;
  readonly taskType: string;
}

/** What an `api_request_span` says. The object is used again for the next one. */
export interface RequestSpan {
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly parentId: Buffer;
  hasParent: boolean;
  /** Unix microseconds. */
  start: number;
  end: number;
  /** Number of the route. */
  route: number;
  status: number;
  /** Number of the error; 0: none. */
  error: number;
  /** Where its task id stands, 36 bytes. */
  readonly bytes: Buffer;
  taskIdAt: number;
  /** Tasks of a batch; `SINGLE_TASK`: the one of that id; 0: none. */
  tasks: number;
  /** Span of the write that its task was part of, as text of `WRITE_NAME_BYTES`; where none is known, undefined. */
  write: Buffer | undefined;
}

/** Bytes of `<trace id>-<span id>`, by which a request names its write. */
export const WRITE_NAME_BYTES = 49;

/** In place of a number of tasks: the request had one, and no batch. */
export const SINGLE_TASK = 0xffff_ffff;

/** Unix microseconds. */
export interface Times {
  readonly start: number;
  readonly end: number;
}

export interface WriteIds {
  readonly traceId: Buffer;
  readonly spanId: Buffer;
}

/** What a `redis_operations_span` says. */
export interface WriteSpan extends WriteIds {
  /** The span of the first request. */
  readonly parentId: Buffer | undefined;
  /** Unix microseconds. */
  readonly start: number;
  readonly end: number;
  readonly tasks: number;
  readonly failed: number;
  /** Trace id and span id of each request, of as many as are linked to. */
  readonly links: Buffer;
  /** Requests, those not linked to included. */
  readonly requests: number;
}

/** Links a span has at most: the limit that OpenTelemetry sets by default (OTEL_SPAN_LINK_COUNT_LIMIT). */
export const MOST_LINKS = 128;
/** Bytes of a link: a trace id and a span id. */
export const LINK_BYTES = 24;

/** Turns spans into a message that a receiver understands. */
export interface RequestSpanEncoder {
  readonly contentType: string;
  /** Bytes of what was encoded since `take`. */
  readonly size: number;
  request(span: RequestSpan): void;
  write(span: WriteSpan): void;
  /** The whole message; the next one begins. */
  take(): Buffer;
  /** A message that `take` has returned is over: its memory may be used again. */
  giveBack(message: Buffer): void;
}

/** What is the same in all spans of a process. */
export interface SpanOrigin {
  readonly serviceName: string;
  /** Attributes of the resource, `service.name` among them. */
  readonly resource: Readonly<Record<string, string>>;
  /** What has made the spans. */
  readonly scope: { readonly name: string; readonly version: string };
}

/** What is the same in all spans of an engine process. */
export interface SpanSource extends SpanOrigin {
  readonly routes: readonly SpanRoute[];
  /** Names of errors by their number. */
  readonly errors: readonly string[];
}

export const REQUEST_SPAN_NAME = 'api_request_span';
export const WRITE_SPAN_NAME = 'redis_operations_span';

/** Attributes that the requests of a route have in common, in their order. */
export function routeAttributes({ path, route, taskType }: SpanRoute): [key: string, value: string][] {
  return [
    ['http.request.method', 'POST'],
    ['url.path', path],
    ['http.route', route],
    ['sluice.task_type', taskType],
  ];
}

export const STATUS_CODE = 'http.response.status_code';
export const ERROR_TYPE = 'error.type';
export const TASK_ID = 'sluice.task_id';
/** Tasks of a request with a batch. */
export const TASK_COUNT = 'sluice.task_count';
/** `<trace id>-<span id>` of the write that a task was part of. */
export const REDIS_SPAN = 'sluice.redis_span';
export const DB_SYSTEM = 'db.system.name';
export const BATCH_SIZE = 'db.operation.batch.size';
/** Tasks of a write that Redis did not take. */
export const FAILED_COUNT = 'sluice.failed_count';

/** Whether the span of a request says that it failed: faults of clients are none of the server's (semantic conventions). */
export function isServerError(status: number): boolean {
  return status >= 500;
}

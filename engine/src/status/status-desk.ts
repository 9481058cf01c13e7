import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { DEFAULT_TASK_TYPE } from '@sluice/contract';
import type { Access } from '../access/access.js';
import type { Admission } from '../admission/admission.js';
import { endWith, INTERNAL_ERROR, type Refusal, statusOf } from '../http/answers.js';
import type { Reception } from '../intake/reception.js';
import { microsNow } from '../metrics/micros-now.js';
import { type RouteTimes, SUCCEEDED, statusClassOf } from '../metrics/request-times.js';
import type { StatusLookup } from './status-lookup.js';
import type { TaskStatus } from './task-status.js';

export interface StatusDeskOptions {
  /** Nothing where tasks are not tracked. */
  readonly lookup: StatusLookup | undefined;
  /** Task types besides the untyped one. */
  readonly types: readonly string[];
  readonly access: Access | undefined;
  /** How long those who ask wait. */
  readonly times: RouteTimes;
  readonly admission: Admission;
  readonly reception: Reception;
  readonly onInternalError: (where: string, error: unknown) => void;
}

/** Most who ask at once in a process; others are answered 503. */
const MOST_ASKING = 1000;

const REPORT_EVERY_MS = 1000;

const TASK_ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Answers `GET /tasks/{id}`: what became of a task. */
export class StatusDesk {
  private readonly types: readonly string[];
  private asking = 0;
  private reportedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: StatusDeskOptions) {
    this.types = [DEFAULT_TASK_TYPE, ...options.types];
  }

  /** Answers a request for the last part of its path. It neither throws nor forgets to answer. */
  handle(response: HttpResponse, request: HttpRequest, withBody: boolean): void {
    const { reception, lookup } = this.options;
    const startedAt = microsNow();
    try {
      if (reception.refuseAmbiguous(response, request)) return;
      const asked = request.getParameter(0) ?? '';
      const allowed = this.typesFor(request);
      const refusal = Array.isArray(allowed) ? this.refusalOf(asked) : allowed;
      if (refusal !== undefined || lookup === undefined) {
        this.refuse(response, refusal ?? TRACKING_OFF, startedAt, withBody);
      } else {
        const found = lookup.find(asked.toLowerCase(), allowed as string[]); // it is no refusal
        void this.answer(response, found, startedAt, withBody);
      }
    } catch (error) {
      this.report(error);
      this.refuse(response, INTERNAL_ERROR, startedAt, withBody);
    }
  }

  /** The types whose tasks the holder of a key may send, and so see; or why there are none. */
  private typesFor(request: HttpRequest): string[] | Refusal {
    const { access } = this.options;
    if (access === undefined) return [...this.types];
    return (
      access.refusal(request) ?? this.types.filter((type) => access.refusal(request, type) === undefined)
    );
  }

  private refusalOf(asked: string): Refusal | undefined {
    const isTaskId = TASK_ID.test(asked);
    if (this.options.lookup === undefined) return isTaskId ? TRACKING_OFF : POST_ONLY;
    if (!isTaskId) return asked === 'batch' || this.types.includes(asked) ? POST_ONLY : MALFORMED;
    return this.asking < MOST_ASKING ? undefined : TOO_MANY;
  }

  private async answer(
    response: HttpResponse,
    found: Promise<TaskStatus | undefined>,
    startedAt: number,
    withBody: boolean,
  ): Promise<void> {
    const { admission, reception, times } = this.options;
    let isGone = false;
    response.onAborted(() => {
      isGone = true;
    });
    this.asking++;
    admission.requests++; // a shutdown waits for it
    let status: TaskStatus | Refusal;
    try {
      status = (await found) ?? NOT_FOUND;
    } catch (error) {
      // That the connection is down, the append connection reports; other replies should not come.
      if (error instanceof Error && error.name === 'ReplyError') this.report(error);
      status = UNREACHABLE;
    }
    this.asking--;
    admission.requests--;
    if (isGone) {
      times.aborted();
      return;
    }
    response.cork(() => {
      if ('code' in status) this.refuse(response, status, startedAt, withBody);
      else {
        response.writeStatus('200 OK').writeHeader('Content-Type', 'application/json');
        response.writeHeader('Cache-Control', 'no-store');
        endWith(response, status, reception.draining, withBody);
        times.answered(startedAt, SUCCEEDED);
      }
    });
  }

  private refuse(response: HttpResponse, refusal: Refusal, startedAt: number, withBody: boolean): void {
    const { reception, times } = this.options;
    reception.refuse(response, refusal, false, undefined, withBody);
    times.answered(startedAt, statusClassOf(statusOf(refusal.code)));
  }

  /** At most once a second: while Redis loads, it answers everybody so. */
  private report(error: unknown): void {
    if (performance.now() - this.reportedAt < REPORT_EVERY_MS) return;
    this.reportedAt = performance.now();
    this.options.onInternalError('task status', error);
  }
}

/** The refusal of what is sent with another method than POST. */
export const POST_ONLY: Refusal = {
  code: 'METHOD_NOT_ALLOWED',
  message: 'tasks are sent with POST',
  headers: [['Allow', 'POST']],
};

const MALFORMED: Refusal = {
  code: 'INVALID_TASK_ID',
  message:
    'the path does not end in a task id; allowed: the task_id of a 202, a UUID such as 7f9c24e5-2c2b-4f0b-9a51-0d2f3a1b4c5d',
};

const NOT_FOUND: Refusal = {
  code: 'TASK_NOT_FOUND',
  message:
    'no task with this id is known; allowed: the task_id of a 202, for TRACK_TTL seconds, of a task type that the API key, if one is asked for, may send',
};

const TRACKING_OFF: Refusal = {
  code: 'TRACKING_OFF',
  message: 'the service does not keep track of tasks; with TRACK_TASKS=true it does',
};

const TOO_MANY: Refusal = {
  code: 'OVERLOADED',
  message: `${MOST_ASKING} are asking for tasks already; ask again later`,
};

const UNREACHABLE: Refusal = {
  code: 'REDIS_UNAVAILABLE',
  message: 'the queue cannot be reached; what became of the task is not known now, ask again later',
};

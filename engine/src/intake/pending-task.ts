import type { HttpResponse } from 'uWebSockets.js';
import type { ContentType } from '@sluice/contract';
import { SINGLE_TASK } from '@sluice/telemetry';
import { refusalCause } from '../admission/refusal-cause.js';
import type { AppendFailure, AppendWaiter, Batcher } from '../append/batcher.js';
import { type KnownTask, knownTaskOf } from '../append/idempotency.js';
import type { TaskHead } from '../append/task-head.js';
import type { TaskName } from '../append/task-names.js';
import { appendRefused, type Refusal, statusOf, unavailable } from '../http/answers.js';
import type { Asked } from '../http/asked.js';
import { SUCCEEDED, statusClassOf } from '../metrics/request-times.js';
import { traceparentOf } from '../traces/route-spans.js';
import { PendingRequest, type RequestDesk } from './pending-request.js';
import type { TaskRoute } from './task-route.js';

/** A task by its name, with what its request asks for. */
export interface AskingTask extends TaskName {
  readonly asked: Asked | undefined;
  /** The traceparent of its request, when its name continues that. */
  readonly parent: string | undefined;
}

/** Where a pending task reports how it ends. */
export interface IntakeDesk extends RequestDesk {
  /** Answers 202, with `known` for a task that was stored before. */
  accepted(response: HttpResponse, task: AskingTask, dueAt: number | undefined, known?: KnownTask): void;
  appendEnded(failure: AppendFailure | undefined): void;
  /** Keeps a task from being stored that was handed in for it. Returns whether that could still be done. */
  takeBack(task: PendingTask): boolean;
  /** The task is no longer held in memory, whichever way it went. */
  leave(bytes: number): void;
}

/** One task on its way: ends exactly once, and leaves the intake exactly once. */
export class PendingTask extends PendingRequest implements AppendWaiter, TaskHead, AskingTask {
  /** Whether it is appended by XADD, rather than by a script. */
  isPlain = true;

  constructor(
    private readonly desk: IntakeDesk,
    private readonly response: HttpResponse,
    readonly route: TaskRoute,
    readonly names: Uint8Array,
    readonly nameAt: number,
    readonly contentType: ContentType,
    readonly traceContext: string | undefined,
    readonly traceState: string | undefined,
    readonly asked: Asked | undefined,
    /** When its request arrived, by `microsNow`. */
    readonly startedAt: number,
    /** The traceparent it came with, when its name continues that. */
    readonly parent: string | undefined,
  ) {
    super();
  }

  accept(dueAt?: number, known?: KnownTask): void {
    this.isOver = true;
    this.response.cork(() => this.desk.accepted(this.response, this, dueAt, known));
    const { times } = this.route;
    const endedAt = times.answered(this.startedAt, SUCCEEDED);
    // One that was stored before has another id than this one.
    const tasks = known === undefined ? SINGLE_TASK : 0;
    times.spans?.answered(this, this.parent, this.startedAt, endedAt, 202, tasks);
  }

  /** Accepts the task before the write that it is part of. */
  acceptReceived(batcher: Batcher): void {
    batcher.enterWrite();
    this.accept();
    batcher.leaveWrite();
  }

  override refuse(refusal: Refusal, close = false): void {
    this.isOver = true;
    const traceparent = this.parent === undefined ? undefined : traceparentOf(this);
    this.response.cork(() => this.desk.refuse(this.response, refusal, close, traceparent));
    const { times } = this.route;
    const endedAt = times.answered(this.startedAt, statusClassOf(statusOf(refusal.code)));
    times.spans?.refused(this, this.parent, this.startedAt, endedAt, refusal.code, this.tasks);
    this.leave();
  }

  /**
   * The client went away, or sent what is no HTTP behind this request, which uWebSockets.js has refused already. What was
   * written to Redis goes on, and nobody hears of its outcome; what was not, because both came in the same packet, is not.
   */
  override abort(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.desk.abandoned();
    this.route.times.aborted();
    this.route.times.spans?.aborted(this, this.parent, this.startedAt, this.tasks);
    if (!this.hasBody || this.desk.takeBack(this)) this.leave();
  }

  onAppended(dueAt: number | undefined, held: string | undefined): void {
    if (held !== undefined) {
      this.onKnown(knownTaskOf(held));
      return;
    }
    const { breaker } = this.route;
    if (breaker.refusals > 0) breaker.noteAppended(this.isPlain);
    this.desk.appendEnded(undefined);
    if (!this.isOver) this.accept(dueAt);
    this.leave();
  }

  /** A task was stored with the same key before: this one, if all goes well. */
  private onKnown(known: KnownTask | undefined): void {
    if (this.isOver) this.leave();
    else if (known === undefined || known.fingerprint !== this.asked?.fingerprint) this.refuse(KEY_REUSED);
    else {
      this.accept(known.dueAt, known);
      this.leave();
    }
  }

  onAppendFailed(failure: AppendFailure): void {
    this.route.breaker.noteFailed(1, failure, this.isPlain);
    this.desk.appendEnded(failure);
    if (this.isOver) this.leave();
    else this.refuse(refusalOfAppend(failure));
  }

  /** What a span says of its tasks: once the body is there, it may be stored. */
  private get tasks(): number {
    return this.hasBody ? SINGLE_TASK : 0;
  }

  protected override free(): void {
    this.desk.leave(this.bytes);
  }
}

/** What the client of a task is told that could not be appended. */
export function refusalOfAppend({ code, reason }: AppendFailure): Refusal {
  return code === 'APPEND_REFUSED' ? appendRefused(refusalCause(reason)) : unavailable(code);
}

const KEY_REUSED: Refusal = {
  code: 'IDEMPOTENCY_KEY_REUSED',
  message:
    'another body was sent with this Idempotency-Key before; nothing was stored, send this one with a key of its own',
};

import type { HttpResponse } from 'uWebSockets.js';
import { type Refusal, unavailable } from '../http/answers.js';
import { type BodyRules, tooLarge } from '../http/head-faults.js';
import type { IntakeOptions } from './intake-options.js';
import type { PendingRequest, RequestDesk } from './pending-request.js';
import type { Reception } from './reception.js';

/** Takes in the bodies of requests that were let in, part by part: within the limit of one, and of what is held of all. */
export abstract class BodyIntake<Pending extends PendingRequest> implements RequestDesk {
  constructor(
    protected readonly options: IntakeOptions,
    protected readonly reception: Reception,
    protected readonly bodyRules: BodyRules,
  ) {}

  /** Waits for the body of a request. */
  protected awaitBody(response: HttpResponse, pending: Pending): void {
    this.options.admission.requests++;
    response.onAborted(() => pending.abort());
    response.onData((part, isLast) => this.receive(pending, part, isLast));
  }

  private receive(pending: Pending, part: ArrayBuffer, isLast: boolean): void {
    if (pending.isOver) return;
    try {
      const { admission } = this.options;
      const { maxBytes } = this.bodyRules;
      const { byteLength } = part; // once: each time it is a call
      const size = pending.bytes + byteLength;
      if (size > maxBytes) {
        pending.refuse(tooLarge(`more than ${maxBytes} bytes`, this.bodyRules), true);
        return;
      }
      if (!admission.hasRoomFor(byteLength)) {
        pending.refuse(unavailable('OVERLOADED'), !isLast);
        return;
      }
      pending.bytes = size;
      admission.bytes += byteLength;
      if (isLast) this.complete(pending, pending.whole(part));
      else pending.keep(part);
    } catch (error) {
      this.failed(pending, error);
    }
  }

  /** Goes on with a request whose body has come. It is valid only until this returns. */
  protected abstract complete(pending: Pending, body: Uint8Array): void;

  /** Something was thrown on the way of a request. */
  protected abstract failed(pending: Pending, error: unknown): void;

  refuse(response: HttpResponse, refusal: Refusal, close: boolean, traceparent: string | undefined): void {
    this.reception.refuse(response, refusal, close, traceparent);
  }

  abandoned(): void {
    this.options.counters.aborted++;
  }

  /** Gives back the room of a request. */
  leave(bytes: number): void {
    this.options.admission.requests--;
    this.options.admission.bytes -= bytes;
  }
}

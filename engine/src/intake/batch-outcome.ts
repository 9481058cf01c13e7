import type { Refusal } from '../http/answers.js';

const SENT = 1;
const APPENDED = 2;
const REFUSED = 3;

/** A task of a batch that was not accepted. */
export interface RefusedItem {
  readonly index: number;
  readonly refusal: Refusal;
}

/** A task of a batch that was stored until it is due. */
export interface DelayedItem {
  readonly index: number;
  /** Unix milliseconds. */
  readonly dueAt: number;
}

/**
 * What became of each task of a batch.
 *
 * ```
 *  states   A  A  R  A  S  S  R  S  W  W      A appended, R refused, S sent, W waiting to be sent
 *                       ▲ replyAt: the next reply of Redis is for the first S from here on
 * ```
 *
 * Tasks are sent in their order, and replies come in that order: so a reply says whose it is by coming next.
 */
export class BatchOutcome {
  readonly refused: RefusedItem[] = [];
  readonly delayed: DelayedItem[] = [];
  /** Tasks that were sent and have no reply yet. */
  unanswered = 0;
  private readonly states: Uint8Array;
  private replyAt = 0;

  constructor(readonly count: number) {
    this.states = new Uint8Array(count);
  }

  /** Tasks that were not refused: appended, or on their way. */
  get accepted(): number {
    return this.count - this.refused.length;
  }

  /** Whether a reply has come for any of them. */
  get hasReplies(): boolean {
    return this.replyAt > 0;
  }

  isRefused(index: number): boolean {
    return this.states[index] === REFUSED;
  }

  refuse(index: number, refusal: Refusal): void {
    this.states[index] = REFUSED;
    this.refused.push({ index, refusal });
  }

  send(index: number): void {
    this.states[index] = SENT;
    this.unanswered++;
  }

  /** The next tasks that were sent have been appended. */
  appendNext(count: number, dueAt: number | undefined): void {
    for (let i = 0; i < count; i++) {
      const index = this.nextSent();
      this.states[index] = APPENDED;
      if (dueAt !== undefined) this.delayed.push({ index, dueAt });
    }
  }

  /** The next tasks that were sent have not been appended, or may not have been. */
  refuseNext(count: number, refusal: Refusal): void {
    for (let i = 0; i < count; i++) this.refuse(this.nextSent(), refusal);
  }

  private nextSent(): number {
    while (this.states[this.replyAt] !== SENT) this.replyAt++;
    this.unanswered--;
    return this.replyAt++;
  }
}

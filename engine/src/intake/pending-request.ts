import type { HttpResponse } from 'uWebSockets.js';
import type { Refusal } from '../http/answers.js';

/**
 * Where bodies are put together that came in parts and are not very large: one at a time, as each is through with when its
 * callback returns. For why that pays, see decision 0012, choice 8.
 */
const WHOLE = new Uint8Array(64 * 1024);

/** Where a pending request, with a task or with many, reports how it ends. */
export interface RequestDesk {
  /** Answers with an error; `traceparent` names its span to a client that has sent one. */
  refuse(response: HttpResponse, refusal: Refusal, close: boolean, traceparent: string | undefined): void;
  /** The client went away before its answer. */
  abandoned(): void;
}

/** A request whose body is on its way, or was sent on: what is the same for one task and for many. */
export abstract class PendingRequest {
  /** Those of its body that have come and are counted. */
  bytes = 0;
  /** Answered, or the client is gone: the response must not be touched. */
  isOver = false;
  /** Whether all of its body has come. */
  protected hasBody = false;
  private left = false;
  private parts: Buffer[] | undefined;

  /** Copies a part of the body: its memory is gone when the callback of uWebSockets.js returns. */
  keep(part: ArrayBuffer): void {
    this.parts ??= [];
    this.parts.push(Buffer.from(Buffer.from(part)));
  }

  /** The whole body. Of one that came in one piece, a view that is valid only within this callback. */
  whole(last: ArrayBuffer): Uint8Array {
    this.hasBody = true;
    const view = new Uint8Array(last); // half the price of a Buffer, and nothing more is needed as a rule
    if (this.parts === undefined) return view;
    const whole = this.bytes <= WHOLE.length ? WHOLE.subarray(0, this.bytes) : new Uint8Array(this.bytes);
    let at = 0;
    for (const part of this.parts) {
      whole.set(part, at);
      at += part.length;
    }
    whole.set(view, at);
    this.parts = undefined;
    return whole;
  }

  /** Answers with an error. */
  abstract refuse(refusal: Refusal, close?: boolean): void;

  /** The client went away, or sent what is no HTTP behind this request, which uWebSockets.js has refused already. */
  abstract abort(): void;

  /** It is no longer held in memory, whichever way it went; counts once. */
  protected leave(): void {
    if (this.left) return;
    this.left = true;
    this.free();
  }

  /** Gives back the room that it took. */
  protected abstract free(): void;
}

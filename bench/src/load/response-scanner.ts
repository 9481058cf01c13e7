/** Where the scanner is within a response. */
type Place = 'status line' | 'header line' | 'body';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_CASE = 0x20;
const CONTENT_LENGTH = Buffer.from('content-length:');

/**
 * Finds the end of each response in the bytes of one connection, and its status. It reads only what a generator
 * needs: responses that state their `Content-Length`, as all servers of the bench do, cut anywhere.
 *
 * Between calls all that is known of an unfinished response is in the fields; no byte is kept.
 */
export class ResponseScanner {
  private place: Place = 'status line';
  /** Bytes of the current line so far. */
  private column = 0;
  private spaces = 0;
  private status = 0;
  /** Bytes of `content-length:` that the current line has matched; -1 once it has differed. */
  private matched = 0;
  private length = -1;
  private bodyLeft = 0;

  /** `onResponse` is told of each whole response, in order. */
  constructor(private readonly onResponse: (status: number) => void) {}

  /** @throws Error when a response does not state its length; where it ends cannot be told then */
  push(bytes: Uint8Array, end = bytes.length): void {
    let at = 0;
    while (at < end) {
      if (this.place === 'body') {
        const taken = Math.min(this.bodyLeft, end - at);
        at += taken;
        this.bodyLeft -= taken;
        if (this.bodyLeft === 0) this.finish();
      } else {
        this.headByte(bytes[at++] as number); // at < end <= bytes.length
      }
    }
  }

  private headByte(byte: number): void {
    if (byte === LF) {
      this.endLine();
      return;
    }
    if (this.place === 'status line') {
      // HTTP/1.1 202 Accepted: the digits between the first and the second space
      if (byte === SPACE) this.spaces++;
      else if (this.spaces === 1) this.status = this.status * 10 + byte - ZERO;
    } else if (this.matched === CONTENT_LENGTH.length) {
      if (byte >= ZERO && byte <= NINE) this.length = Math.max(0, this.length) * 10 + byte - ZERO;
    } else if (this.matched !== -1) {
      this.matched = (byte | LOWER_CASE) === CONTENT_LENGTH[this.matched] ? this.matched + 1 : -1;
    }
    if (byte !== CR) this.column++;
  }

  private endLine(): void {
    const isBlank = this.column === 0;
    this.column = 0;
    this.matched = 0;
    if (this.place === 'status line') {
      this.place = 'header line';
      return;
    }
    if (!isBlank) return;
    if (this.length === -1)
      throw new Error(`a response with status ${this.status} does not state its length`);
    this.place = 'body';
    this.bodyLeft = this.length;
    if (this.bodyLeft === 0) this.finish();
  }

  private finish(): void {
    const status = this.status;
    this.place = 'status line';
    this.spaces = 0;
    this.status = 0;
    this.length = -1;
    this.onResponse(status);
  }
}

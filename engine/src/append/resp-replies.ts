const PLUS = 0x2b;
const MINUS = 0x2d;
const COLON = 0x3a;
const DOLLAR = 0x24;
const STAR = 0x2a;
const CR = 0x0d;

/**
 * Called for each reply, in order; for replies in a row that say no more than that a command has succeeded, once for as
 * many as there are. `error` is the text of an error reply (`OOM command not allowed …`), `integer` what a reply says
 * that is a whole number (the first of them in an array of such numbers), `status` the text of a status reply (`OK`); else undefined.
 */
export type OnReplies = (
  count: number,
  error: string | undefined,
  integer: number | undefined,
  status: string | undefined,
) => void;

const INCOMPLETE = -1;
const UNEXPECTED = -2;

/**
 * Counts replies in the bytes Redis sends (RESP2) without making a string of each: of an append we need to
 * know only that it succeeded, or with which error it failed.
 *
 * Between calls `rest` holds the start of one reply that has not arrived whole; it is never longer than
 * `MAX_REPLY` bytes, since the commands we send have short answers.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
export class RespReplies {
  static readonly MAX_REPLY = 64 * 1024;
  private rest: Buffer | undefined;

  constructor(private readonly onReplies: OnReplies) {}

  /** @throws Error when the bytes are not a reply to a command of ours; the connection is unusable then. */
  push(chunk: Buffer): void {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    this.rest = undefined;
    let at = 0;
    let succeeded = 0;
    let end = 0;
    while (at < bytes.length) {
      end = this.replyEnd(bytes, at);
      if (end < 0) break;
      const kind = bytes[at];
      if (kind === DOLLAR) succeeded++;
      else {
        if (succeeded > 0) this.onReplies(succeeded, undefined, undefined, undefined);
        succeeded = 0;
        const start = kind === STAR ? this.lineEnd(bytes, at) : at;
        const text = bytes.toString('utf8', start + 1, kind === STAR ? bytes.indexOf(CR, start) : end - 2);
        if (kind === MINUS) this.onReplies(1, text, undefined, undefined);
        else if (kind === COLON || kind === STAR) this.onReplies(1, undefined, Number(text), undefined);
        else this.onReplies(1, undefined, undefined, text);
      }
      at = end;
    }
    if (succeeded > 0) this.onReplies(succeeded, undefined, undefined, undefined);
    if (end === UNEXPECTED) {
      throw new Error(`Redis answered with an unexpected kind of reply (byte ${bytes[at]})`);
    }
    if (at === bytes.length) return;
    if (bytes.length - at > RespReplies.MAX_REPLY)
      throw new Error('a reply of Redis is larger than expected');
    this.rest = Buffer.from(bytes.subarray(at));
  }

  /** Index after the reply that starts at `at`, or `INCOMPLETE`, or `UNEXPECTED`. */
  private replyEnd(bytes: Buffer, at: number): number {
    const kind = bytes[at];
    if (kind === DOLLAR) return this.bulkEnd(bytes, at);
    if (kind === STAR) return this.arrayEnd(bytes, at);
    return kind === PLUS || kind === MINUS || kind === COLON ? this.lineEnd(bytes, at) : UNEXPECTED;
  }

  private lineEnd(bytes: Buffer, at: number): number {
    const line = bytes.indexOf(CR, at + 1);
    return line === -1 || line + 1 >= bytes.length ? INCOMPLETE : line + 2;
  }

  /** An array of whole numbers, what WAITAOF is answered with. */
  private arrayEnd(bytes: Buffer, at: number): number {
    let end = this.lineEnd(bytes, at);
    if (end < 0) return end;
    const count = Number(bytes.toString('latin1', at + 1, end - 2));
    if (!(count > 0)) return UNEXPECTED;
    for (let i = 0; i < count && end >= 0; i++) {
      if (end >= bytes.length) return INCOMPLETE;
      end = bytes[end] === COLON ? this.lineEnd(bytes, end) : UNEXPECTED;
    }
    return end;
  }

  /** What every append is answered with: an entry id. Its length is read on the way to the end of the line. */
  private bulkEnd(bytes: Buffer, at: number): number {
    let length = 0;
    for (let i = at + 1; i < bytes.length; i++) {
      const byte = bytes[i] as number; // i < length
      if (byte === CR) {
        const end = i + 2 + length + 2;
        return end <= bytes.length ? end : INCOMPLETE;
      }
      // $-1, the null bulk string, has no second line: together with its end, that is five bytes.
      if (byte === MINUS) return at + 5 <= bytes.length ? at + 5 : INCOMPLETE;
      length = length * 10 + byte - 0x30;
    }
    return INCOMPLETE;
  }
}

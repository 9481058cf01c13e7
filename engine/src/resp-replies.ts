const PLUS = 0x2b;
const MINUS = 0x2d;
const COLON = 0x3a;
const DOLLAR = 0x24;
const CR = 0x0d;

/**
 * Called once per reply, in order: `error` is the text of an error reply (`OOM command not allowed …`), `integer` what
 * a reply says that is a whole number; else undefined.
 */
export type OnReply = (error: string | undefined, integer: number | undefined) => void;

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

  constructor(private readonly onReply: OnReply) {}

  /** @throws Error when the bytes are not a reply to a command of ours; the connection is unusable then. */
  push(chunk: Buffer): void {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    this.rest = undefined;
    let at = 0;
    while (at < bytes.length) {
      const end = this.replyEnd(bytes, at);
      if (end === -1) {
        if (bytes.length - at > RespReplies.MAX_REPLY)
          throw new Error('a reply of Redis is larger than expected');
        this.rest = Buffer.from(bytes.subarray(at));
        return;
      }
      this.onReply(
        bytes[at] === MINUS ? bytes.toString('utf8', at + 1, end - 2) : undefined,
        bytes[at] === COLON ? Number(bytes.toString('latin1', at + 1, end - 2)) : undefined,
      );
      at = end;
    }
  }

  /** Index after the reply that starts at `at`, or -1 if it has not arrived whole. */
  private replyEnd(bytes: Buffer, at: number): number {
    const kind = bytes[at];
    if (kind === DOLLAR) return this.bulkEnd(bytes, at);
    const line = bytes.indexOf(CR, at + 1);
    if (line === -1 || line + 1 >= bytes.length) return -1;
    if (kind === PLUS || kind === MINUS || kind === COLON) return line + 2;
    throw new Error(`Redis answered with an unexpected kind of reply (byte ${kind})`);
  }

  /** What every append is answered with: an entry id. Its length is read on the way to the end of the line. */
  private bulkEnd(bytes: Buffer, at: number): number {
    let length = 0;
    for (let i = at + 1; i < bytes.length; i++) {
      const byte = bytes[i] as number; // i < length
      if (byte === CR) {
        const end = i + 2 + length + 2;
        return end <= bytes.length ? end : -1;
      }
      // $-1, the null bulk string, has no second line: together with its end, that is five bytes.
      if (byte === MINUS) return at + 5 <= bytes.length ? at + 5 : -1;
      length = length * 10 + byte - 0x30;
    }
    return -1;
  }
}

/*
 * Reads the reply of XREADGROUP from the bytes of the connection. Half of what a no-op task cost a consumer was the
 * general decoder of ioredis: 0.6 CPU seconds per 100,000 tasks; this one takes 0.1 (docs/decisions/0011).
 *
 *   *<streams>            head; *-1 when there was nothing, -<error> when Redis refused
 *     *2 $<name> *<n>     stream
 *       *2 $<id> *<m> $<field> $<value> …      entry, n times
 *
 * Between calls of `push` the parts before `at` have been read, and what lies behind is less than one more part; a part
 * is a head, a stream or an entry. A part that is not all there is read again from its beginning when it is.
 */

/** An entry as it was delivered: names and values by turns, each a part of the chunk it came in. */
export type DeliveredEntry = readonly [id: string, fields: readonly Buffer[]];

/** What a read has brought of one stream. */
export interface Delivery {
  readonly stream: string;
  readonly entries: readonly DeliveredEntry[];
}

/** Redis answered with an error. Has the name that errors of ioredis have, which `refusalOf` goes by. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

const CR = 13;
const MINUS = 45;
const ZERO = 48;
const BULK = 36; // $
const ARRAY = 42; // *
const CRLF_BYTES = 2;
/** Instead of a length: more bytes are needed to tell. RESP has -1 itself, for nil. */
const INCOMPLETE = -2;

/** The reply of one XREADGROUP, in RESP2. */
export class GroupReply {
  /** What was delivered, so far; nothing when there was nothing within the time the read may wait. */
  readonly deliveries: Delivery[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Chunks that came since, while the part that was begun needs more than there is. */
  #more: Buffer[] = [];
  #available = 0;
  /** Least length of #bytes with which it is worth looking again. */
  #needed = 1;
  #streamsLeft = INCOMPLETE;
  #entriesLeft = 0;
  #entries: DeliveredEntry[] = [];

  /**
   * Takes in what came next. Returns whether the reply is complete.
   *
   * @throws ReplyError when it is an error; another Error when it is no reply to XREADGROUP
   */
  push(chunk: Buffer): boolean {
    this.#more.push(chunk);
    this.#available += chunk.length;
    if (this.#available < this.#needed) return false;
    const rest = this.#bytes.subarray(this.#at);
    this.#bytes = rest.length === 0 && this.#more.length === 1 ? chunk : Buffer.concat([rest, ...this.#more]);
    this.#at = 0;
    this.#more = [];
    for (;;) {
      const start = this.#at;
      this.#needed = 0;
      if (!this.#part()) {
        this.#at = start;
        this.#available = this.#bytes.length - start;
        this.#needed = Math.max(this.#needed - start, this.#available + 1);
        return false;
      }
      if (this.#streamsLeft > 0) continue;
      if (this.#at < this.#bytes.length) throw new Error('Redis sent more than the reply to a read');
      return true;
    }
  }

  /** Reads the next part; false when it is not all there. */
  #part(): boolean {
    if (this.#streamsLeft === INCOMPLETE) return this.#head();
    return this.#entriesLeft === 0 ? this.#stream() : this.#entry();
  }

  #head(): boolean {
    if (this.#bytes[this.#at] === MINUS) {
      const end = this.#bytes.indexOf('\r\n', this.#at);
      if (end === -1) return false;
      throw new ReplyError(this.#bytes.toString('utf8', this.#at + 1, end));
    }
    const streams = this.#number(ARRAY);
    if (streams === INCOMPLETE) return false;
    this.#streamsLeft = Math.max(0, streams);
    return true;
  }

  #stream(): boolean {
    if (this.#number(ARRAY) === INCOMPLETE) return false;
    const name = this.#bulk();
    if (name === INCOMPLETE) return false;
    const nameEnd = this.#at - CRLF_BYTES;
    const entries = this.#number(ARRAY);
    if (entries === INCOMPLETE) return false;
    this.#entries = [];
    this.deliveries.push({ stream: this.#bytes.toString('utf8', name, nameEnd), entries: this.#entries });
    this.#entriesLeft = entries;
    if (entries === 0) this.#streamsLeft -= 1;
    return true;
  }

  #entry(): boolean {
    if (this.#number(ARRAY) === INCOMPLETE) return false;
    const id = this.#bulk();
    if (id === INCOMPLETE) return false;
    const idEnd = this.#at - CRLF_BYTES;
    const length = this.#number(ARRAY);
    if (length === INCOMPLETE) return false;
    const fields: Buffer[] = [];
    for (let i = 0; i < length; i++) {
      const field = this.#bulk();
      if (field === INCOMPLETE) return false;
      fields.push(this.#bytes.subarray(field, this.#at - CRLF_BYTES));
    }
    this.#entries.push([this.#bytes.toString('latin1', id, idEnd), fields]);
    this.#entriesLeft -= 1;
    if (this.#entriesLeft === 0) this.#streamsLeft -= 1;
    return true;
  }

  /** Reads `<type><number>\r\n`. */
  #number(type: number): number {
    const bytes = this.#bytes;
    const end = bytes.length;
    let at = this.#at;
    if (at >= end) return INCOMPLETE;
    if (bytes[at] !== type) throw new Error('Redis sent something else than the reply to a read');
    let number = 0;
    let isNegative = false;
    for (at++; at < end; at++) {
      const byte = bytes[at] as number; // at < end
      if (byte === CR) {
        if (at + CRLF_BYTES > end) return INCOMPLETE;
        this.#at = at + CRLF_BYTES;
        return isNegative ? -number : number;
      }
      if (byte === MINUS) isNegative = true;
      else number = number * 10 + byte - ZERO;
    }
    return INCOMPLETE;
  }

  /** Passes over a string, and returns where it begins. */
  #bulk(): number {
    const length = this.#number(BULK);
    if (length === INCOMPLETE) return INCOMPLETE;
    const start = this.#at;
    const end = start + length + CRLF_BYTES;
    if (end > this.#bytes.length) {
      this.#needed = end;
      return INCOMPLETE;
    }
    this.#at = end;
    return start;
  }
}

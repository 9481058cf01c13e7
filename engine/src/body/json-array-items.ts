import { isUtf8 } from 'node:buffer';
import { SluiceError } from '@sluice/contract';
import { BatchItems } from './batch-items.js';
import { plainEnvelopeEnd, skipWhitespace } from './json-scan.js';
import { jsonValueEnd } from './json-value-end.js';

/** The items of a JSON array. It is valid JSON from its first to its last byte, or it is refused as a whole. */
export class JsonArrayItems extends BatchItems {
  readonly contentType = 'application/json';
  /** Where the next item starts; -1 before the array was entered. */
  private at = -1;

  findNext(): void {
    const { body, view } = this;
    if (this.at === -1) {
      this.enter();
      if (this.isComplete) return;
    }
    const start = this.at;
    const { wantsPlain, maxDepth } = this.rules;
    let end = wantsPlain ? plainEnvelopeEnd(body, view, start, body.length, maxDepth) : -1;
    const isPlain = end !== -1;
    if (!isPlain) end = jsonValueEnd(body, start);
    if (end < 0) throw this.brokenAt(~end);
    this.add(start, end, isPlain);
    const next = skipWhitespace(body, end);
    if (body[next] === COMMA) this.at = skipWhitespace(body, next + 1);
    else this.leave(next);
  }

  private enter(): void {
    const { body } = this;
    if (!isUtf8(body))
      throw new SluiceError('INVALID_UTF8', `the batch is not valid UTF-8; ${NOTHING_STORED}`);
    const start = skipWhitespace(body, 0);
    if (body[start] !== LEFT_BRACKET) {
      const message = body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
        ? 'the batch starts with a byte order mark, which JSON does not allow'
        : 'the body is not a JSON array of tasks; for a task in each line, the media type is application/x-ndjson';
      throw new SluiceError('INVALID_JSON', message);
    }
    this.at = skipWhitespace(body, start + 1);
    if (body[this.at] === RIGHT_BRACKET) this.leave(this.at);
  }

  private leave(at: number): void {
    const { body } = this;
    if (body[at] !== RIGHT_BRACKET) throw this.brokenAt(at);
    const end = skipWhitespace(body, at + 1);
    if (end !== body.length) throw this.brokenAt(end);
    this.isComplete = true;
  }

  private brokenAt(at: number): SluiceError {
    const where = at < this.body.length ? `it stops being so at byte ${at}` : 'it ends too early';
    const message = `the batch is not valid JSON: ${where}, after ${this.count} tasks; ${NOTHING_STORED}`;
    return new SluiceError('INVALID_JSON', message);
  }
}

const NOTHING_STORED = 'nothing of it was stored';
const BYTE_ORDER_MARK = Buffer.from('\ufeff');
const COMMA = 0x2c;
const LEFT_BRACKET = 0x5b;
const RIGHT_BRACKET = 0x5d;

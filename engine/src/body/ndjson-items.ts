import { isUtf8 } from 'node:buffer';
import { BatchItems, type ItemRules } from './batch-items.js';
import { plainEnvelopeEnd, skipWhitespace } from './json-scan.js';

/**
 * The items of newline-delimited JSON: what stands in each line that is not blank. Lines stand alone, so there is
 * no body that is refused as a whole, and what is wrong in a line is found when it is read.
 *
 * @see https://github.com/ndjson/ndjson-spec
 */
export class NdjsonItems extends BatchItems {
  readonly contentType = 'application/json';
  private at = 0;
  private readonly wantsPlain: boolean;

  constructor(body: Buffer, rules: ItemRules) {
    super(body, rules);
    // Else each line has to be looked at by itself, for the one or ones that are not.
    this.wantsPlain = rules.wantsPlain && isUtf8(body);
  }

  findNext(): void {
    const { body, view } = this;
    const start = skipWhitespace(body, this.at);
    if (start === body.length) {
      this.isComplete = true;
      return;
    }
    const lineFeed = body.indexOf(LF, start);
    const lineEnd = lineFeed === -1 ? body.length : lineFeed;
    const end = withoutSpaceBehind(body, lineEnd);
    const { maxDepth } = this.rules;
    const isPlain = this.wantsPlain && plainEnvelopeEnd(body, view, start, lineEnd, maxDepth) === end;
    this.add(start, end, isPlain);
    this.at = lineEnd;
  }
}

/** Where what is in a line ends; something is in it. */
function withoutSpaceBehind(body: Buffer, lineEnd: number): number {
  let end = lineEnd;
  while (body[end - 1] === CR || body[end - 1] === SPACE || body[end - 1] === TAB) end--;
  return end;
}

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

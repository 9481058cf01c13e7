import { randomFillSync } from 'node:crypto';
import { LINK_BYTES, MOST_LINKS, WRITE_NAME_BYTES, type WriteIds } from './request-span.js';

/** Writes of which requests have come and they themselves have not: those that are older came to nothing. */
const MOST_OPEN = 4096;
/** Writes that are over of which the memory is kept for others. */
const MOST_SPARE = 64;
const FIRST_LINKS = 8;

/** A write to Redis, as far as its requests tell of it. It belongs to the trace of the first one. */
export interface OpenWrite extends WriteIds {
  /** The span of that request. */
  readonly parentId: Buffer;
  /** `<trace id>-<span id>`, as requests name it. */
  readonly name: Buffer;
  /** Trace id and span id of each request, of as many as are linked to. */
  links: Buffer;
  /** Requests, those not linked to included. */
  requests: number;
}

/** The writes that are not over, by their numbers. */
export class OpenWrites {
  private readonly open = new Map<number, OpenWrite>();
  private readonly spare: OpenWrite[] = [];
  /** The one asked for last: requests of a write come one behind the other. */
  private last: OpenWrite | undefined;
  private lastNumber = -1;

  find(number: number): OpenWrite | undefined {
    if (number === this.lastNumber) return this.last;
    this.lastNumber = number;
    this.last = this.open.get(number);
    return this.last;
  }

  /** Begins a write with a request whose ids those are; `digits` has its trace id as text, from `at` on. */
  begin(number: number, requestIds: Buffer, digits: Buffer, at: number): OpenWrite {
    const write = this.spare.pop() ?? newWrite();
    const { traceId, spanId, parentId, name } = write;
    for (let i = 0; i < 16; i++) traceId[i] = requestIds[i] as number; // they are that long, here and below
    for (let i = 0; i < 8; i++) parentId[i] = requestIds[16 + i] as number;
    writeSpanId(spanId);
    for (let i = 0; i < 32; i++) name[i] = digits[at + i] as number;
    name[32] = DASH;
    name.write(spanId.toString('hex'), 33, 'latin1');
    write.requests = 0;
    this.open.set(number, write);
    if (this.open.size > MOST_OPEN) this.forgetOldest();
    this.lastNumber = number;
    this.last = write;
    return write;
  }

  /** A request with such ids is part of a write. */
  link(write: OpenWrite, requestIds: Buffer): void {
    if (write.requests < MOST_LINKS) {
      const at = write.requests * LINK_BYTES;
      if (at === write.links.length) write.links = Buffer.concat([write.links], 2 * at);
      const { links } = write;
      for (let i = 0; i < LINK_BYTES; i++) links[at + i] = requestIds[i] as number; // they are that long
    }
    write.requests++;
  }

  /** A write is over. Undefined when nothing is known of its requests. */
  end(number: number): OpenWrite | undefined {
    const write = this.find(number);
    this.open.delete(number);
    this.lastNumber = -1;
    return write;
  }

  /** What `end` has returned may be used for another write. */
  giveBack(write: OpenWrite): void {
    if (this.spare.length < MOST_SPARE) this.spare.push(write);
  }

  private forgetOldest(): void {
    const [oldest] = this.open.keys();
    if (oldest !== undefined) this.open.delete(oldest);
    this.lastNumber = -1;
  }
}

const DASH = 0x2d;

function newWrite(): OpenWrite {
  return {
    traceId: Buffer.alloc(16),
    spanId: Buffer.alloc(8),
    parentId: Buffer.alloc(8),
    name: Buffer.alloc(WRITE_NAME_BYTES),
    links: Buffer.alloc(FIRST_LINKS * LINK_BYTES),
    requests: 0,
  };
}

const random = Buffer.allocUnsafeSlow(4096);
let used = random.length;

/** Writes a random span id. */
export function writeSpanId(to: Buffer): void {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  for (let i = 0; i < 8; i++) to[i] = random[used + i] as number; // a part of it is that long
  used += 8;
  to[7] = (to[7] as number) | 1; // all zero is no id
}

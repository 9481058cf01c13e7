/** Which span it is, by its name. */
export const REQUEST = 1;
export const WRITE = 2;
export const TASK = 3;

const NAMES: readonly (readonly [kind: number, name: Buffer])[] = [
  [REQUEST, Buffer.from('api_request_span')],
  [WRITE, Buffer.from('redis_operations_span')],
  [TASK, Buffer.from('task_processing_span')],
];

// Where the ids stand in the words of a span; a trace id has four words, a span id two, a task id four.
export const TRACE = 0;
export const SPAN = 4;
export const PARENT = 6;
export const TASK_ID = 8;
/** Trace id, then span id of the write that a request names. */
export const NAMED_WRITE = 12;
const WORDS = 18;

/** Words of a link: a trace id and a span id. */
export const LINK_WORDS = 6;
const MOST_LINKS = 1024;

const TASK_ID_KEY = Buffer.from('sluice.task_id');
const REDIS_SPAN_KEY = Buffer.from('sluice.redis_span');
const TASK_COUNT_KEY = Buffer.from('sluice.task_count');
const BATCH_SIZE_KEY = Buffer.from('db.operation.batch.size');
const DROPPED_LINKS_KEY = Buffer.from('otel.dropped_links_count');

/**
 * What is looked at of a span, as numbers. There is one object for all spans: what takes them apart fills it, what keeps
 * account of them reads it. No span costs an object or a text: the receiver has to share its cores with what it watches.
 */
export class SeenSpan {
  /** 0: none of ours. */
  kind = 0;
  readonly words = new Uint32Array(WORDS);
  hasParent = false;
  hasTaskId = false;
  namesWrite = false;
  /** Tasks of a request with a batch, or of a write; 0: not said. */
  tasks = 0;
  readonly links = new Uint32Array(MOST_LINKS * LINK_WORDS);
  linkCount = 0;
  droppedLinks = 0;

  clear(): void {
    this.kind = 0;
    this.words.fill(0);
    this.hasParent = false;
    this.hasTaskId = false;
    this.namesWrite = false;
    this.tasks = 0;
    this.linkCount = 0;
    this.droppedLinks = 0;
  }

  name(bytes: Buffer, at: number, length: number): void {
    this.kind = NAMES.find(([, name]) => isText(bytes, at, length, name))?.[0] ?? 0;
  }

  /** Reads so many words of an id. */
  id(bytes: Buffer, at: number, word: number, count: number): void {
    for (let i = 0; i < count; i++) this.words[word + i] = bytes.readUInt32BE(at + 4 * i);
  }

  /** Begins a link; its ids are written by {@link linkId}. */
  beginLink(): void {
    if (this.linkCount === MOST_LINKS) throw new Error('a span with more links than are allowed');
    this.linkCount++;
  }

  linkId(bytes: Buffer, at: number, word: number, count: number): void {
    const start = (this.linkCount - 1) * LINK_WORDS + word;
    for (let i = 0; i < count; i++) this.links[start + i] = bytes.readUInt32BE(at + 4 * i);
  }

  textAttribute(bytes: Buffer, key: number, keyLength: number, value: number, length: number): void {
    if (isText(bytes, key, keyLength, TASK_ID_KEY)) {
      this.hasTaskId = hexWords(bytes, value, length, this.words, TASK_ID) === 4;
    } else if (isText(bytes, key, keyLength, REDIS_SPAN_KEY)) {
      this.namesWrite = hexWords(bytes, value, length, this.words, NAMED_WRITE) === LINK_WORDS;
    }
  }

  numberAttribute(bytes: Buffer, key: number, keyLength: number, value: number): void {
    if (isText(bytes, key, keyLength, TASK_COUNT_KEY) || isText(bytes, key, keyLength, BATCH_SIZE_KEY)) {
      this.tasks = value;
    } else if (isText(bytes, key, keyLength, DROPPED_LINKS_KEY)) {
      this.droppedLinks = value;
    }
  }
}

function isText(bytes: Buffer, at: number, length: number, text: Buffer): boolean {
  if (length !== text.length) return false;
  // From the end: the beginning is what keys have in common.
  for (let i = length - 1; i >= 0; i--) if (bytes[at + i] !== text[i]) return false;
  return true;
}

const DASH = 0x2d;

/** Reads hexadecimal digits, dashes left out; returns how many words they made. */
function hexWords(bytes: Buffer, at: number, length: number, words: Uint32Array, to: number): number {
  let digits = 0;
  let word = 0;
  for (let i = at; i < at + length; i++) {
    const code = bytes[i] as number; // its length was checked
    if (code === DASH) continue;
    word = (word << 4) | (code < 0x3a ? code - 0x30 : code - 0x57);
    digits++;
    if (digits % 8 === 0) words[to + digits / 8 - 1] = word;
  }
  return digits / 8;
}

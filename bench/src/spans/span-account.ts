import {
  LINK_WORDS,
  NAMED_WRITE,
  PARENT,
  REQUEST,
  type SeenSpan,
  SPAN,
  TASK,
  TASK_ID,
  TRACE,
  WRITE,
} from './seen-span.js';
import { SpanRows } from './span-rows.js';

/** What is wrong with spans that came, by what it is. */
export interface SpanFaults {
  /** Spans that came a second time. */
  repeated: number;
  /** Spans of tasks whose parent is no request that came. */
  strayTasks: number;
  /** Spans of tasks in another trace than their parent. */
  otherTrace: number;
  /** Spans of tasks whose parent is the request of another task. */
  otherTask: number;
  /** Tasks of requests that have no span. */
  tasksMissing: number;
  /** Requests that name a write which did not come, or is in another trace. */
  writesMissing: number;
  /** Requests that no write links to, those aside that were too many for the links of a span. */
  linksMissing: number;
  /** Links to what is no request that came, or names another write. */
  linksWrong: number;
  /** Writes with another number of tasks than name them. */
  sizesWrong: number;
}

/** Spans that came, by name. */
export interface SpanCounts {
  requests: number;
  writes: number;
  tasks: number;
  others: number;
}

export interface SpanReport extends SpanCounts {
  faults: SpanFaults;
}

// Rows of requests: span id (2), trace id (4), then
const TASK_ID_WORD = 6; // 4
const WRITE_WORD = 10; // 2
const LINKED_BY_WORD = 12; // 2
const FLAGS_WORD = 14;
const DUE_WORD = 15;
const TASKS_WORD = 16;
const LINKS_WORD = 17;
const REQUEST_WIDTH = 18;
const TRACE_WORD = 2;

const HAS_COME = 1;
const HAS_TASK = 2;
const NAMES_WRITE = 4;
const IS_BATCH = 8;

// Rows of writes: span id (2), trace id (4), then
const WRITE_SEEN_WORD = 6;
const SIZE_WORD = 7;
const NAMED_WORD = 8;
const WRITE_WIDTH = 9;

/**
 * Keeps account of all spans of a run: which came, and whether those of tasks, requests and writes belong together. They come
 * in any order, from several processes. A request takes 72 bytes and its place in an index, a write half of that.
 */
export class SpanAccount {
  private readonly requests: SpanRows;
  private readonly writes: SpanRows;
  private readonly came: SpanCounts = { requests: 0, writes: 0, tasks: 0, others: 0 };
  private readonly early: SpanFaults = noFaults();
  private droppedLinks = 0;

  /** @param most requests, and most writes, that are to be expected */
  constructor(most: number) {
    this.requests = new SpanRows(most, REQUEST_WIDTH);
    this.writes = new SpanRows(most, WRITE_WIDTH);
  }

  get counts(): SpanCounts {
    return this.came;
  }

  take(span: SeenSpan): void {
    if (span.kind === REQUEST) this.request(span);
    else if (span.kind === WRITE) this.write(span);
    else if (span.kind === TASK) this.task(span);
    else this.came.others++;
  }

  private request(span: SeenSpan): void {
    const { words } = this.requests;
    const row = this.requests.at(wordOf(span, SPAN), wordOf(span, SPAN + 1));
    this.came.requests++;
    const flags = words[row + FLAGS_WORD] as number; // rows are that long, here and below
    if ((flags & HAS_COME) !== 0) {
      this.early.repeated++;
      return;
    }
    if (flags === 0 && words[row + LINKS_WORD] === 0) copy(span.words, TRACE, words, row + TRACE_WORD, 4);
    else if (!isSame(span.words, TRACE, words, row + TRACE_WORD, 4)) this.early.otherTrace++;
    let now = flags | HAS_COME;
    if (span.hasTaskId) {
      if ((flags & HAS_TASK) === 0) copy(span.words, TASK_ID, words, row + TASK_ID_WORD, 4);
      else if (!isSame(span.words, TASK_ID, words, row + TASK_ID_WORD, 4)) this.early.otherTask++;
      now |= HAS_TASK;
      words[row + DUE_WORD] = 1;
    } else {
      now |= IS_BATCH;
      words[row + DUE_WORD] = span.tasks;
    }
    if (span.namesWrite) {
      now |= NAMES_WRITE;
      copy(span.words, NAMED_WRITE + 4, words, row + WRITE_WORD, 2);
      this.named(span);
    }
    words[row + FLAGS_WORD] = now;
  }

  /** A request names the write that its task was part of. */
  private named(span: SeenSpan): void {
    const { words } = this.writes;
    const row = this.writes.at(wordOf(span, NAMED_WRITE + 4), wordOf(span, NAMED_WRITE + 5));
    if (words[row + WRITE_SEEN_WORD] === 0 && words[row + NAMED_WORD] === 0) {
      copy(span.words, NAMED_WRITE, words, row + TRACE_WORD, 4);
    } else if (!isSame(span.words, NAMED_WRITE, words, row + TRACE_WORD, 4)) this.early.writesMissing++;
    words[row + NAMED_WORD] = (words[row + NAMED_WORD] as number) + 1;
  }

  private task(span: SeenSpan): void {
    this.came.tasks++;
    if (!span.hasParent) {
      this.early.strayTasks++;
      return;
    }
    const { words } = this.requests;
    const row = this.requests.at(wordOf(span, PARENT), wordOf(span, PARENT + 1));
    const flags = words[row + FLAGS_WORD] as number;
    if (flags === 0 && words[row + LINKS_WORD] === 0) copy(span.words, TRACE, words, row + TRACE_WORD, 4);
    else if (!isSame(span.words, TRACE, words, row + TRACE_WORD, 4)) this.early.otherTrace++;
    if ((flags & HAS_TASK) === 0) {
      copy(span.words, TASK_ID, words, row + TASK_ID_WORD, 4);
      words[row + FLAGS_WORD] = flags | HAS_TASK;
    } else if ((flags & IS_BATCH) === 0 && !isSame(span.words, TASK_ID, words, row + TASK_ID_WORD, 4)) {
      this.early.otherTask++;
    }
    words[row + TASKS_WORD] = (words[row + TASKS_WORD] as number) + 1;
  }

  private write(span: SeenSpan): void {
    const { words } = this.writes;
    const row = this.writes.at(wordOf(span, SPAN), wordOf(span, SPAN + 1));
    this.came.writes++;
    if (words[row + WRITE_SEEN_WORD] !== 0) {
      this.early.repeated++;
      return;
    }
    if (words[row + NAMED_WORD] === 0) copy(span.words, TRACE, words, row + TRACE_WORD, 4);
    else if (!isSame(span.words, TRACE, words, row + TRACE_WORD, 4)) this.early.writesMissing++;
    words[row + WRITE_SEEN_WORD] = 1;
    words[row + SIZE_WORD] = span.tasks;
    this.droppedLinks += span.droppedLinks;
    for (let i = 0; i < span.linkCount; i++) this.link(span, i * LINK_WORDS);
  }

  private link(write: SeenSpan, link: number): void {
    const { links } = write;
    const { words } = this.requests;
    const row = this.requests.at(links[link + SPAN] ?? 0, links[link + SPAN + 1] ?? 0);
    if (words[row + FLAGS_WORD] === 0 && words[row + LINKS_WORD] === 0) {
      copy(links, link + TRACE, words, row + TRACE_WORD, 4);
    } else if (!isSame(links, link + TRACE, words, row + TRACE_WORD, 4)) this.early.linksWrong++;
    copy(write.words, SPAN, words, row + LINKED_BY_WORD, 2);
    words[row + LINKS_WORD] = (words[row + LINKS_WORD] as number) + 1;
  }

  /** What came so far, and what is wrong with it if nothing more comes. */
  report(): SpanReport {
    const faults = { ...this.early };
    let unlinked = 0;
    let hasBatches = false;
    const { words: requests } = this.requests;
    for (let row = 0; row < this.requests.count * REQUEST_WIDTH; row += REQUEST_WIDTH) {
      const flags = requests[row + FLAGS_WORD] as number;
      const tasks = requests[row + TASKS_WORD] as number;
      const links = requests[row + LINKS_WORD] as number;
      if ((flags & HAS_COME) === 0) {
        faults.strayTasks += tasks;
        faults.linksWrong += links;
        continue;
      }
      const due = requests[row + DUE_WORD] as number;
      if (tasks < due) faults.tasksMissing += due - tasks;
      if (tasks > due) faults.repeated += tasks - due;
      if ((flags & IS_BATCH) !== 0) hasBatches = true;
      if (links === 0) unlinked++;
      else if (
        (flags & NAMES_WRITE) !== 0 &&
        (links > 1 || !isSame(requests, row + WRITE_WORD, requests, row + LINKED_BY_WORD, 2))
      ) {
        faults.linksWrong++;
      }
    }
    faults.linksMissing = Math.max(0, unlinked - this.droppedLinks);
    const { words: writes } = this.writes;
    for (let row = 0; row < this.writes.count * WRITE_WIDTH; row += WRITE_WIDTH) {
      const named = writes[row + NAMED_WORD] as number;
      if (writes[row + WRITE_SEEN_WORD] === 0) faults.writesMissing += named;
      else if (!hasBatches && named !== writes[row + SIZE_WORD]) faults.sizesWrong++;
    }
    return { ...this.came, faults };
  }
}

function noFaults(): SpanFaults {
  return {
    ...{ repeated: 0, strayTasks: 0, otherTrace: 0, otherTask: 0, tasksMissing: 0 },
    ...{ writesMissing: 0, linksMissing: 0, linksWrong: 0, sizesWrong: 0 },
  };
}

function wordOf(span: SeenSpan, word: number): number {
  return span.words[word] ?? 0;
}

function copy(from: Uint32Array, start: number, to: Uint32Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) to[at + i] = from[start + i] ?? 0;
}

function isSame(a: Uint32Array, at: number, b: Uint32Array, bAt: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[at + i] !== b[bAt + i]) return false;
  return true;
}

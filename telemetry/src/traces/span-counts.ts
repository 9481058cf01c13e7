/** Why spans were not delivered. */
export const SPAN_DROP_REASONS = [
  /** More came than could be sent: the ring, which waits for the receiver, was full. */
  'ring-full',
  /** The receiver could not be reached, or did not answer in time, however often it was tried. */
  'unreachable',
  /** The receiver did not want them. */
  'rejected',
  /** They had not been delivered when the process had to end. */
  'shutdown',
  /** The thread that was to deliver them has died. */
  'thread-died',
] as const;

export type SpanDropReason = (typeof SPAN_DROP_REASONS)[number];

/** Spans of one process since its start. */
export interface SpanCounts {
  exported: number;
  dropped: Record<SpanDropReason, number>;
}

export function noSpans(): SpanCounts {
  return {
    exported: 0,
    dropped: { 'ring-full': 0, unreachable: 0, rejected: 0, shutdown: 0, 'thread-died': 0 },
  };
}

const EXPORTED = 0;
const MADE = 1;
const FIRST_REASON = 2;

/** Counts in memory that the thread which exports shares with the one that reports: its numbers survive it. */
export class SharedSpanCounts {
  readonly buffer: SharedArrayBuffer;
  private readonly numbers: BigInt64Array;

  constructor(buffer = new SharedArrayBuffer(8 * (FIRST_REASON + SPAN_DROP_REASONS.length))) {
    this.buffer = buffer;
    this.numbers = new BigInt64Array(buffer);
  }

  /** So many spans are to be delivered from here on. */
  made(count: number): void {
    Atomics.add(this.numbers, MADE, BigInt(count));
  }

  exported(count: number): void {
    Atomics.add(this.numbers, EXPORTED, BigInt(count));
  }

  dropped(reason: SpanDropReason, count: number): void {
    Atomics.add(this.numbers, FIRST_REASON + SPAN_DROP_REASONS.indexOf(reason), BigInt(count));
  }

  /** Counts whatever was made and is neither delivered nor dropped as dropped: nobody is there any more to deliver it. */
  giveUp(reason: SpanDropReason): void {
    const { exported, dropped } = this.read();
    const made = Number(Atomics.load(this.numbers, MADE));
    const left = made - exported - Object.values(dropped).reduce((sum, count) => sum + count, 0);
    if (left <= 0) return;
    this.dropped(reason, left);
  }

  read(): SpanCounts {
    const counts = noSpans();
    counts.exported = Number(Atomics.load(this.numbers, EXPORTED));
    for (const [i, reason] of SPAN_DROP_REASONS.entries()) {
      counts.dropped[reason] = Number(Atomics.load(this.numbers, FIRST_REASON + i));
    }
    return counts;
  }
}

import { parentPort } from 'node:worker_threads';
import { SharedSpanCounts } from './span-counts.js';
import { RingReader } from './span-ring.js';
import { SpanSender } from './span-sender.js';
import type { SpanThreadSetup, StopSpans } from './span-thread.js';

/** How often the rings are looked at. Those of an engine are full after this time only at a million requests a second. */
const LOOK_EVERY_MS = 40;
/** Records that are encoded in one go: so few that a message that is not full yet has room for their spans. */
const RECORDS = 256;
/** A message is sent when it is so large, in bytes, */
const FULL = 512 * 1024;
/** or so old. */
const OLD_MS = 1000;
const SEND_TIMEOUT_MS = 10_000;

/** What spans become a message in. */
interface SpanEncoder {
  readonly contentType: string;
  readonly size: number;
  take(): Buffer;
  giveBack(message: Buffer): void;
}

/** Turns the records of a ring into spans. */
interface SpanReader {
  /** Encodes at most so many records; returns how many spans that made. */
  read(mostRecords: number): number;
}

/**
 * What a thread does that exports spans: records of the rings -> reader -> encoder -> sender. It goes on until it is told to
 * stop, and ends the thread then.
 */
export function exportSpans<Encoder extends SpanEncoder>(
  { rings: memories, counts: shared, destination }: SpanThreadSetup<unknown>,
  encoder: Encoder,
  readerOf: (ring: RingReader, encoder: Encoder) => SpanReader,
): void {
  const isOtlp = destination.protocol === 'otlp';
  const counts = new SharedSpanCounts(shared);
  const sources = memories.map((memory) => {
    const ring = new RingReader(memory);
    return { ring, reader: readerOf(ring, encoder) };
  });
  const sender = new SpanSender({
    url: destination.url,
    headers: destination.headers,
    contentType: encoder.contentType,
    timeoutMs: SEND_TIMEOUT_MS,
    answersInOtlp: isOtlp,
    onOver: (message) => encoder.giveBack(message),
    onExported: (spans) => counts.exported(spans),
    onDropped: (reason, spans) => counts.dropped(reason, spans),
  });

  /** Spans that were encoded and not sent, and since when there have been any. */
  let spans = 0;
  let since = 0;

  function look(): void {
    // Whatever finds no room at the receiver stays in the ring; what finds none there is counted by who writes it.
    for (const { ring, reader } of sources) {
      if (sender.hasRoom && ring.waiting > 0) readSome(reader);
      while (sender.hasRoom && ring.waiting >= RECORDS) readSome(reader);
    }
    if (spans > 0 && sender.hasRoom && performance.now() - since >= OLD_MS) send();
  }

  function readSome(reader: SpanReader): void {
    const read = reader.read(RECORDS);
    counts.made(read);
    if (spans === 0) since = performance.now();
    spans += read;
    if (encoder.size >= FULL) send();
  }

  function send(): void {
    const count = spans;
    spans = 0;
    sender.send(encoder.take(), count);
  }

  async function stop(withinMs: number): Promise<void> {
    clearInterval(timer);
    for (const { ring, reader } of sources) while (ring.waiting > 0) readSome(reader);
    if (spans > 0) send();
    const late = setTimeout(finish, withinMs);
    await sender.idle();
    clearTimeout(late);
    finish();
  }

  /** Ends this thread. What it has not delivered is counted by whoever has started it. */
  function finish(): void {
    process.exit();
  }

  const timer = setInterval(look, LOOK_EVERY_MS);
  parentPort?.once('message', ({ withinMs }: StopSpans) => void stop(withinMs));
}

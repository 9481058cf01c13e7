import { parentPort, workerData } from 'node:worker_threads';
import { JaegerEncoder } from './jaeger-encoder.js';
import { OtlpEncoder } from './otlp-encoder.js';
import type { SpanSource } from './request-span.js';
import { RequestSpanReader } from './request-span-reader.js';
import { SharedSpanCounts } from './span-counts.js';
import { RingReader } from './span-ring.js';
import { SpanSender } from './span-sender.js';
import type { SpanThreadSetup, StopSpans } from './span-thread.js';

// The thread that exports the spans of an engine process: records of the ring -> encoder -> sender.

/** How often the ring is looked at. It is full after this time only at a million requests a second. */
const LOOK_EVERY_MS = 40;
/** Records that are encoded in one go. */
const RECORDS = 1024;
/** A message is sent when it is so large, in bytes, */
const FULL = 512 * 1024;
/** or so old. */
const OLD_MS = 1000;
const SEND_TIMEOUT_MS = 10_000;

const setup = workerData as SpanThreadSetup<SpanSource>; // what span-thread.ts passes
const { destination, source } = setup;
const isOtlp = destination.protocol === 'otlp';
const counts = new SharedSpanCounts(setup.counts);
const encoder = isOtlp ? new OtlpEncoder(source) : new JaegerEncoder(source);
const rings = setup.rings.map((memory) => new RingReader(memory));
const readers = rings.map((ring) => new RequestSpanReader(ring, encoder));
const sender = new SpanSender({
  url: destination.url,
  headers: destination.headers,
  contentType: encoder.contentType,
  timeoutMs: SEND_TIMEOUT_MS,
  answersInOtlp: isOtlp,
  onExported: (spans) => counts.exported(spans),
  onDropped: (reason, spans) => counts.dropped(reason, spans),
});

/** Spans that were encoded and not sent, and since when there have been any. */
let spans = 0;
let since = 0;

function look(): void {
  // Whatever finds no room at the receiver stays in the ring; what finds none there is counted by who writes it.
  for (const reader of readers) {
    while (sender.hasRoom && readSome(reader) === RECORDS);
  }
  if (spans > 0 && sender.hasRoom && performance.now() - since >= OLD_MS) send();
}

/** Returns how many spans there were. */
function readSome(reader: RequestSpanReader): number {
  const read = reader.read(RECORDS);
  counts.made(read);
  if (spans === 0) since = performance.now();
  spans += read;
  if (encoder.size >= FULL) send();
  return read;
}

function send(): void {
  const count = spans;
  spans = 0;
  sender.send(encoder.take(), count);
}

async function stop(withinMs: number): Promise<void> {
  clearInterval(timer);
  for (const [i, reader] of readers.entries()) {
    while ((rings[i]?.waiting ?? 0) > 0) readSome(reader);
  }
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

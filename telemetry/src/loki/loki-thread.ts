import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { pushBody, type WaitingLine, waitingLine } from './loki-body.js';
import type { FromLokiThread, LokiSetup, ToLokiThread } from './loki-messages.js';
import { LokiPusher } from './loki-push.js';

// The entry of the shipping thread: collects lines, pushes them one batch after the other, tries again with back-off.
// It has no bound of its own: the main thread sends no more than the limits allow before it hears that some are settled.

/** Of one push. */
const MOST_LINES = 1000;
const MOST_BYTES = 1024 * 1024;

if (parentPort === null) throw new Error('loki-thread.js is started by a log, as a worker thread');
const log: MessagePort = parentPort;
const { endpoint, labels, limits } = workerData as LokiSetup; // what loki-shipper.ts passes

const pusher = new LokiPusher(endpoint, limits.pushTimeoutMs);
const waiting: WaitingLine[] = [];
let sequence = 0;
let pushing = false;
let closing = false;
let backOffMs = 0;
let timer: NodeJS.Timeout | undefined;
let deadline: NodeJS.Timeout | undefined;

log.on('message', (message: ToLokiThread) => {
  switch (message.type) {
    case 'line':
      waiting.push(waitingLine(message.line, sequence, Date.now()));
      sequence += 1;
      if (waiting.length >= MOST_LINES && backOffMs === 0) pushSoon(0);
      else pushSoon(limits.collectMs);
      return;
    case 'close':
      closing = true;
      deadline = setTimeout(end, message.withinMs);
      clearTimeout(timer);
      timer = undefined;
      if (!pushing) void push();
      return;
  }
});

function pushSoon(afterMs: number): void {
  if (pushing || closing) return;
  if (timer !== undefined && afterMs > 0) return;
  clearTimeout(timer);
  timer = setTimeout(() => void push(), afterMs);
}

async function push(): Promise<void> {
  timer = undefined;
  pushing = true;
  const batch = nextBatch();
  if (batch.length > 0) {
    const result = await pusher.push(pushBody(batch, labels));
    if (result.kind !== 'taken') tell({ type: 'failed', reason: result.reason });
    if (result.kind === 'failed') {
      backOffMs = Math.min(limits.lastBackOffMs, backOffMs === 0 ? limits.firstBackOffMs : 2 * backOffMs);
    } else {
      backOffMs = 0;
      settle(batch, result.kind === 'refused');
    }
  }
  pushing = false;
  if (waiting.length > 0) {
    // While closing there is little time: as often as the first back-off, and not at once, which could be very often.
    if (closing) timer = setTimeout(() => void push(), backOffMs === 0 ? 0 : limits.firstBackOffMs);
    else pushSoon(backOffMs * (1 + 0.2 * Math.random()) || limits.collectMs);
  } else if (closing) end();
}

/** They stay in line until it is known what became of them. */
function nextBatch(): WaitingLine[] {
  let bytes = 0;
  let lines = 0;
  for (const line of waiting) {
    bytes += line.bytes;
    if (lines > 0 && (bytes > MOST_BYTES || lines >= MOST_LINES)) break;
    lines += 1;
  }
  return waiting.slice(0, lines);
}

function settle(batch: readonly WaitingLine[], refused: boolean): void {
  waiting.splice(0, batch.length);
  let bytes = 0;
  for (const line of batch) bytes += line.bytes;
  tell({ type: 'settled', lines: batch.length, bytes, refused: refused ? batch.length : 0 });
}

function end(): void {
  pusher.abort();
  tell({ type: 'closed' });
  log.close();
  clearTimeout(timer);
  clearTimeout(deadline);
}

function tell(message: FromLokiThread): void {
  log.postMessage(message);
}

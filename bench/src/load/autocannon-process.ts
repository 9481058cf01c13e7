// Runs autocannon once, as the argument asks, and sends a ClosedLoopResult over IPC.
import { randomUUID } from 'node:crypto';
import autocannon, { type Request } from 'autocannon';
import type { ClosedLoopOptions, ClosedLoopResult } from './closed-loop.js';
import { histogramOf, latencyOf } from './latency.js';

const options = JSON.parse(process.argv[2] ?? '') as ClosedLoopOptions; // written by autocannon.ts
const histogram = histogramOf();
let accepted = 0;
let refused = 0;

process.on('disconnect', () => process.exit(1)); // nobody is left to tell

const instance = autocannon(
  {
    url: options.url,
    method: options.exchange.method,
    headers: { 'Content-Type': 'application/json', ...options.headers },
    body: options.body,
    connections: options.connections,
    duration: options.seconds,
    ...(options.idempotencyKeys ? { requests: [{ setupRequest: withIdempotencyKey }] } : {}),
  },
  (error, { errors, timeouts, duration }) => {
    if (error) throw error;
    const result: ClosedLoopResult = {
      accepted,
      failed: refused + errors + timeouts,
      seconds: duration,
      latency: latencyOf(histogram),
    };
    process.send?.(result, () => process.exit());
  },
);
function withIdempotencyKey(request: Request): Request {
  request.headers = { ...request.headers, 'Idempotency-Key': randomUUID() };
  return request;
}

// Its own latencies are whole milliseconds, and it does not tell a 200 from a 202.
instance.on('response', (_client, status, _bytes, milliseconds) => {
  if (status === options.exchange.status) accepted++;
  else refused++;
  histogram.record(Math.max(1, Math.round(milliseconds * 1000)));
});

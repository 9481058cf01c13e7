// Runs one load over WebSockets, as the argument asks, and sends a ClosedLoopResult over IPC.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { ClosedLoopResult } from './closed-loop.js';
import { histogramOf, latencyOf } from './latency.js';

export interface WebSocketLoad {
  hostname: string;
  port: number;
  body: string;
  /** Messages under way on each connection. */
  messages: number;
  connections: number;
  seconds: number;
}

process.on('disconnect', () => process.exit(1)); // nobody is left to tell

const load = JSON.parse(process.argv[2] ?? '') as WebSocketLoad; // written by websocket.ts
const window = Buffer.concat(Array.from({ length: load.messages }, () => textFrame(load.body)));
const histogram = histogramOf();
let accepted = 0;
let failed = 0;
let isOver = false;

const sockets = await Promise.all(Array.from({ length: load.connections }, open));
const startedAt = performance.now();
for (const socket of sockets) drive(socket);
setTimeout(() => {
  isOver = true;
  for (const socket of sockets) socket.destroy();
  const seconds = (performance.now() - startedAt) / 1000;
  const result: ClosedLoopResult = { accepted, failed, seconds, latency: latencyOf(histogram) };
  process.send?.(result, () => process.exit());
}, load.seconds * 1000);

/** A connection that has been upgraded. */
function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: load.hostname, port: load.port, noDelay: true });
    socket.once('error', reject);
    socket.write(
      `GET / HTTP/1.1\r\nHost: ${load.hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    // The server says nothing before it is spoken to, so what arrives first is its answer and nothing else.
    socket.once('data', (answer) => {
      if (answer.toString('latin1').startsWith('HTTP/1.1 101 ')) resolve(socket);
      else reject(new Error(`no upgrade: ${answer.toString('latin1').slice(0, 200)}`));
    });
  });
}

/** Sends windows; all answers are as long as the first. */
function drive(socket: Socket): void {
  let frameBytes = 0;
  let waiting = 0;
  let sentAt = 0;
  const send = (): void => {
    waiting = 0;
    sentAt = performance.now();
    socket.write(window);
  };
  socket.on('data', (chunk) => {
    // RFC 6455, 5.2: a final text frame that is not masked, its length in seven bits.
    frameBytes ||= 2 + ((chunk[1] ?? 0) & 0x7f);
    waiting += chunk.length;
    if (waiting < frameBytes * load.messages) return;
    accepted += load.messages;
    histogram.record(Math.max(1, Math.round((performance.now() - sentAt) * 1000)));
    send();
  });
  socket.on('close', () => {
    if (!isOver) failed++;
  });
  send();
}

/** RFC 6455, 5.2 and 5.3: a final text frame, masked. A mask is as good as any other for a server that does not look. */
function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  for (const [at, byte] of payload.entries()) payload[at] = byte ^ (mask[at % 4] ?? 0);
  const length = Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([length, mask, payload]);
}

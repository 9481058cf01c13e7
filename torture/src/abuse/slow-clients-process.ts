// Keeps so many connections to a port busy with next to nothing, and makes anew what is cut off, in a process of its own.
// Arguments: the port, and how many connections.
// Answers `count` with how many were open at the least, and how many were opened, since it was asked last.
import { connect, type Socket } from 'node:net';
import { taskRequest } from './raw-request.js';

/** Each connection sends a byte, or reads some, every two seconds; some of them at a time. */
const DRIP_EVERY_MS = 20;
const DRIP_ROUNDS = 100;
const OPEN_EVERY_MS = 10;
/**
 * Connections opened in a second are all of them in so many seconds, at the most: what is asked is what slow ones do, not what a
 * flood of new ones does. A server that cuts off who is slow does so in waves, so that it takes some seconds to be as many again.
 */
const OPENING_SECONDS = 5;
const LEAST_PER_SECOND = 300;
const REQUEST = taskRequest(`{"data":"${'x'.repeat(10_000)}"}`);
const BODY_AT = REQUEST.indexOf('\r\n\r\n') + 4;
/** What comes behind it belongs to the value of a header. */
const HEAD = Buffer.from('POST /tasks HTTP/1.1\r\nHost: x\r\nUser-Agent: ');
/** The largest answer there is: no socket has room for it, so that it waits for its reader. */
const LARGE = Buffer.from('GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n');
const READ_BYTES = 512;
/** Who reads so little hears of its end much later than that: after so long it gives up and begins again. */
const READER_SECONDS = 15;

const [, , port = '', connections = ''] = process.argv;
const total = Number(connections);
const perSecond = Math.max(LEAST_PER_SECOND, total / OPENING_SECONDS);
/** Numbers of connections that are to be opened, or opened again. */
const lacking = Array.from({ length: total }, (_, n) => n);
const open = new Set<Socket>();
/** What the connections of a round do when it is their turn. */
const turns = Array.from({ length: DRIP_ROUNDS }, () => new Map<Socket, () => void>());
let opened = 0;
let fewest = 0;
let settled = 0;
let round = 0;

const startedAt = performance.now();
let begun = 0;
setInterval(() => {
  const due = ((performance.now() - startedAt) / 1000) * perSecond;
  for (; begun < due; begun++) {
    const n = lacking.shift();
    if (n !== undefined) connectAs(n);
  }
  fewest = Math.min(fewest, open.size);
}, OPEN_EVERY_MS);
setInterval(() => {
  round = (round + 1) % DRIP_ROUNDS;
  for (const move of turns[round]?.values() ?? []) move();
}, DRIP_EVERY_MS);
process.on('message', (message) => {
  if ((message as { type?: string }).type !== 'count') return;
  process.send?.({ type: 'count', fewest, opened });
  opened = 0;
  fewest = open.size;
});
process.on('disconnect', () => process.exit());

/** Opens a connection that is slow in its head, in its body, or in reading. */
function connectAs(n: number): void {
  const onread = { buffer: Buffer.alloc(READ_BYTES), callback: () => false }; // and waits until it is told to go on
  const socket = connect({ port: Number(port), host: '127.0.0.1', onread });
  const turn = turns[n % DRIP_ROUNDS];
  let isSettled = false;
  const settle = (): void => {
    if (isSettled) return;
    isSettled = true;
    if (++settled === total) process.send?.({ type: 'ready' });
  };
  socket.on('error', () => {}); // it may be cut off: so much the better
  socket.on('close', () => {
    open.delete(socket);
    turn?.delete(socket);
    lacking.push(n);
    settle();
  });
  socket.on('connect', () => {
    opened++;
    open.add(socket);
    if (n % 3 === 0) {
      socket.write(LARGE);
      turn?.set(socket, () => socket.resume());
      const end = setTimeout(() => socket.destroy(), READER_SECONDS * 1000);
      socket.once('close', () => clearTimeout(end));
    } else {
      socket.write(n % 3 === 1 ? HEAD : REQUEST.subarray(0, BODY_AT));
      turn?.set(socket, () => socket.write('x'));
    }
    settle();
  });
}

// Keeps so many connections, made anew when they are cut off, to a port busy with next to nothing, in a process of its own.
// Arguments: the port, and how many connections.
// Answers `count` with how many are open.
import { connect, type Socket } from 'node:net';
import { manyTimes, taskRequest } from './raw-request.js';

const AT_ONCE = 200;
/** Each connection gets a byte every two seconds, a few of them at a time. */
const DRIP_EVERY_MS = 20;
const DRIP_ROUNDS = 100;
const REQUEST = taskRequest(`{"data":"${'x'.repeat(10_000)}"}`);
const LIVE = Buffer.from('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
const ANSWERS_UNREAD = 200;
const AGAIN_MS = 500;

const dripping = new Set<Socket>();
const open = new Set<Socket>();
let round = 0;

const [, , port = '', connections = ''] = process.argv;
await manyTimes(Number(connections), AT_ONCE, add);
setInterval(drip, DRIP_EVERY_MS);
process.on('message', (message) => {
  if ((message as { type?: string }).type === 'count') process.send?.({ type: 'count', open: open.size });
});
process.on('disconnect', () => process.exit());
process.send?.({ type: 'ready' });

/** Opens a connection that is slow in its head, in its body, or in reading. */
function add(n: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {}); // it may be cut off: so much the better
    socket.on('close', () => {
      open.delete(socket);
      dripping.delete(socket);
      resolve();
      setTimeout(() => void add(n), AGAIN_MS);
    });
    socket.on('connect', () => {
      open.add(socket);
      if (n % 3 === 0) {
        socket.pause();
        for (let i = 0; i < ANSWERS_UNREAD; i++) socket.write(LIVE);
      } else {
        socket.write(REQUEST.subarray(0, n % 3 === 1 ? 20 : REQUEST.indexOf('\r\n\r\n') + 4));
        dripping.add(socket);
      }
      resolve();
    });
  });
}

function drip(): void {
  round++;
  let n = 0;
  for (const socket of dripping) if (n++ % DRIP_ROUNDS === round % DRIP_ROUNDS) socket.write('x');
}

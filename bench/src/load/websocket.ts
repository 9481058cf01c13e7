import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BenchFault } from '../bench-fault.js';
import { untilEnd } from '../child.js';
import type { ClosedLoopGenerator, ClosedLoopResult } from './closed-loop.js';
import type { WebSocketLoad } from './websocket-process.js';

const PROGRAM = fileURLToPath(new URL('./websocket-process.js', import.meta.url));
const GRACE_SECONDS = 15;

/** Sends tasks as messages of WebSockets: each connection has so many under way, and sends the next when all are answered. */
export function webSockets(messages: number): ClosedLoopGenerator {
  return {
    name: `WebSockets, ${messages} messages under way on each`,
    async run({ url, body, connections, seconds }) {
      const { hostname, port } = new URL(url);
      const load: WebSocketLoad = { hostname, port: Number(port), body, messages, connections, seconds };
      const child = fork(PROGRAM, [JSON.stringify(load)], { silent: true });
      let result: ClosedLoopResult | undefined;
      child.once('message', (message) => {
        result = message as ClosedLoopResult; // all that our program sends
      });
      await untilEnd(child, 'the WebSocket generator', seconds + GRACE_SECONDS);
      if (result === undefined) throw new BenchFault('the WebSocket generator ended without a report');
      return result;
    },
  };
}

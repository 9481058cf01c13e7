import { cpuSecondsOfTree } from '../cpu-time.js';
import { startNodeProgram } from './node-program.js';
import type { Peer } from './peer.js';

const PROGRAM = new URL('./apps/bare.js', import.meta.url);
const LOG_CHARACTERS = 1000;

/** The reference: what uWebSockets.js can do when there is nothing to do. One process. */
export function barePeer(): Peer {
  return {
    name: 'bare',
    async start() {
      const server = await startNodeProgram(PROGRAM);
      return {
        url: server.url,
        cpuSeconds() {
          const seconds = cpuSecondsOfTree(server.pid);
          return seconds === undefined ? undefined : { server: seconds };
        },
        verify: async () => {}, // it promises nothing
        log: () => server.output().slice(-LOG_CHARACTERS),
        stop: () => server.stop(),
      };
    },
  };
}

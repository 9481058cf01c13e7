import { cpuSecondsOfTree } from '../cpu-time.js';
import { startNodeProgram } from './node-program.js';
import type { Peer } from './peer.js';

const LOG_CHARACTERS = 1000;

/** A program of `apps/` that answers 202 and stores nothing. */
export function unstoredPeer(name: string, program: URL, args: string[] = []): Peer {
  return {
    name,
    async start() {
      const server = await startNodeProgram(program, args);
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

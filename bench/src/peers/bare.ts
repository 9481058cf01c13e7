import { fileURLToPath } from 'node:url';
import { startProcess } from '@sluice/testbed';
import { cpuSecondsOfTree } from '../cpu-time.js';
import type { Peer } from './peer.js';

const PROGRAM = fileURLToPath(new URL('./bare-server.js', import.meta.url));
const LOG_CHARACTERS = 1000;

/** The reference: what uWebSockets.js can do when there is nothing to do. One process. */
export function barePeer(): Peer {
  return {
    name: 'bare',
    async start() {
      const server = startProcess(PROGRAM);
      const { url } = (await server.ready) as { url: string };
      return {
        url: `${url}/tasks`,
        cpuSeconds() {
          const seconds = cpuSecondsOfTree(server.pid);
          return seconds === undefined ? undefined : { server: seconds };
        },
        verify: async () => {}, // it promises nothing
        log: () => server.output().slice(-LOG_CHARACTERS),
        async stop() {
          server.signal('SIGKILL');
          await server.exited;
        },
      };
    },
  };
}

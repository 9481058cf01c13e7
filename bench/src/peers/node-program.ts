import { fileURLToPath } from 'node:url';
import { startProcess } from '@sluice/testbed';
import type { IntakeProgram } from './peer-with-redis.js';

/** Starts a program of `apps/` that runs on Node, and is told all it has to know by arguments. */
export async function startNodeProgram(program: URL, args: string[] = []): Promise<IntakeProgram> {
  // Express and others do less where NODE_ENV says so, and whoever runs them for good says so.
  const server = startProcess(fileURLToPath(program), { NODE_ENV: 'production' }, args);
  const { url } = (await server.ready) as { url: string };
  return {
    url,
    pid: server.pid,
    output: () => server.output(),
    async stop() {
      server.signal('SIGKILL');
      await server.exited;
    },
  };
}

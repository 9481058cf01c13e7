import { connect } from 'node:net';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Where `make up` runs things, as far as a replay needs it. Not checked yet. */
export interface Running {
  url?: unknown;
  redisUrl?: unknown;
}

/** The socket of the launcher of this checkout. */
const CONTROL_SOCKET = fileURLToPath(new URL('../../../../.data/control.sock', import.meta.url));

/**
 * Asks the launcher where it runs engine and Redis: it says so, in one line of JSON, to whoever connects.
 * Empty when no launcher runs.
 */
export function askLauncher(socketPath = CONTROL_SOCKET): Promise<Running> {
  return new Promise((resolve) => {
    // Socket paths are limited to some 100 bytes: a relative one is short wherever the checkout is.
    const socket = connect(relative(process.cwd(), socketPath));
    socket.on('error', () => resolve({})); // nothing there, or left behind by one that was killed
    createInterface(socket)
      .once('line', (line) => {
        socket.destroy();
        const { url, redisUrl }: Running = JSON.parse(line);
        resolve({ ...(url !== undefined && { url }), ...(redisUrl !== undefined && { redisUrl }) });
      })
      .once('close', () => resolve({}));
  });
}

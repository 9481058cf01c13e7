import { connect } from 'node:net';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A launcher answers at once or is frozen. */
const ANSWER_LIMIT_MS = 2_000;

/**
 * The Redis that `make up` runs in this checkout: its launcher says so, in one line of JSON, to whoever connects to its
 * socket (see launcher/src/control.ts). Nothing when no launcher runs, or when this is no checkout.
 *
 * @param dataDir folder of the launcher, from the root of the checkout
 */
export async function redisOfMakeUp(dataDir = '.data'): Promise<string | undefined> {
  const path = join(resolve(ROOT, dataDir), 'control.sock');
  let text = '';
  try {
    // Socket paths are limited to some 100 bytes: a relative one is short wherever the checkout is.
    const socket = connect(relative(process.cwd(), path)).setEncoding('utf8');
    socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy());
    for await (const chunk of socket) {
      text += chunk;
      if (text.includes('\n')) break; // which closes the socket
    }
    const { run } = JSON.parse(text.slice(0, text.indexOf('\n'))) as { run?: { redisUrl?: string } };
    return run?.redisUrl;
  } catch {
    return undefined; // nothing there, a socket left behind by one that was killed, or one that is ending
  }
}

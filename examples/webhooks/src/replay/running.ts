import { connect } from 'node:net';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `make up` runs things, as far as a replay needs it. Not checked yet. */
export interface Running {
  url?: unknown;
  redisUrl?: unknown;
}

/** The socket of the launcher of this checkout. */
const CONTROL_SOCKET = fileURLToPath(new URL('../../../../.data/control.sock', import.meta.url));

/** A launcher answers at once or is frozen. */
const ANSWER_LIMIT_MS = 2_000;

/**
 * Asks the launcher where it runs engine and Redis: it says so, in one line of JSON, to whoever connects.
 * Empty when no launcher runs, or it has not started everything yet.
 */
export async function askLauncher(socketPath = CONTROL_SOCKET): Promise<Running> {
  let text = '';
  try {
    // Socket paths are limited to some 100 bytes: a relative one is short wherever the checkout is.
    const socket = connect(relative(process.cwd(), socketPath)).setEncoding('utf8');
    socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy());
    for await (const chunk of socket) {
      text += chunk;
      if (text.includes('\n')) break; // which closes the socket
    }
  } catch {
    return {}; // nothing there, or a socket left behind by one that was killed
  }
  if (!text.includes('\n')) return {};
  const { run = {} }: { run?: Running } = JSON.parse(text.slice(0, text.indexOf('\n')));
  const { url, redisUrl } = run;
  return { ...(url !== undefined && { url }), ...(redisUrl !== undefined && { redisUrl }) };
}

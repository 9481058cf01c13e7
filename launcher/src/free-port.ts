import { createServer } from 'node:net';

/** Ports named so far that nobody wanted: the system may name one again that is not listened on yet. */
const named = new Set<number>();
/** Far fewer than there are; those named so long ago are in use, or not needed any more. */
const MOST_NAMED = 1000;

/**
 * A port of the loopback interface on which nobody listens now: the wanted one if it is one, else any other that was not
 * named before.
 */
export async function freePort(wanted = 0): Promise<number> {
  if (wanted !== 0) {
    const port = await portOn(wanted).catch(() => undefined);
    if (port !== undefined) return port;
  }
  if (named.size >= MOST_NAMED) named.clear();
  for (;;) {
    const port = await portOn(0);
    if (named.has(port)) continue;
    named.add(port);
    return port;
  }
}

function portOn(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('the system named no port'));
      });
    });
  });
}

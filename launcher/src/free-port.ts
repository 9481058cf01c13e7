import { createServer } from 'node:net';

/** A port of the loopback interface on which nobody listens now: the wanted one if it is one, else any other. */
export function freePort(wanted = 0): Promise<number> {
  return portOn(wanted).catch((error: unknown) => {
    if (wanted === 0) throw error;
    return portOn(0);
  });
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

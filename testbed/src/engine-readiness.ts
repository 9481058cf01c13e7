import { parseExposition, sampleValue } from './exposition.js';

const PROCESSES = 'sluice_engine_processes';

/**
 * Whether every process of an engine program takes traffic. `GET /readyz` says that one does: the processes share a port, and
 * another one that is not ready yet may be the one that answers next, 503.
 *
 * @param opsUrl where its operations port is
 */
export async function isEveryProcessReady(opsUrl: string): Promise<boolean> {
  const figures = parseExposition(await (await fetch(`${opsUrl}/metrics`)).text());
  const [ready = 0, unready] = ['ready', 'unready'].map((state) =>
    sampleValue(figures, PROCESSES, { state }),
  );
  return ready > 0 && unready === 0;
}

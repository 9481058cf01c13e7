import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { BODY } from './body.js';

/** Real ones, where they lie beside the checkout. */
const REAL = new URL('../../../../shared/data/github-webhooks/', import.meta.url);
const SAMPLES = new URL('../../../examples/webhooks/sample-bodies/', import.meta.url);

/** A body of GitHub's, compact as it is sent. */
export interface Webhook {
  name: string;
  json: string;
}

/** Real webhook bodies if there are any, else those of the example. */
export async function readWebhooks(): Promise<Webhook[]> {
  const folder = existsSync(REAL) ? REAL : SAMPLES;
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, folder), 'utf8');
      return { name, json: JSON.stringify(JSON.parse(text)) };
    }),
  );
}

/**
 * The body of a task that comes closest to a size: one webhook, or several in an array where none is half as large. The
 * smallest is that of all other scenarios.
 *
 * @param webhooks one at least
 */
export function bodyOfSize(bytes: number, webhooks: readonly Webhook[]): { name: string; body: string } {
  const bodies = webhooks.map(({ name, json }) => ({ name, body: `{"data":${json}}` }));
  bodies.push({ name: 'an event', body: BODY });
  const distance = (body: string): number => Math.abs(Buffer.byteLength(body) - bytes);
  const closest = bodies.reduce((best, one) => (distance(one.body) < distance(best.body) ? one : best));
  return Buffer.byteLength(closest.body) * 2 >= bytes ? closest : several(bytes, webhooks);
}

function several(bytes: number, webhooks: readonly Webhook[]): { name: string; body: string } {
  const parts: string[] = [];
  for (let size = 0; size < bytes; ) {
    const json = webhooks[parts.length % webhooks.length]?.json ?? '';
    parts.push(json);
    size += Buffer.byteLength(json) + 1;
  }
  return { name: `${parts.length} webhooks`, body: `{"data":[${parts.join(',')}]}` };
}

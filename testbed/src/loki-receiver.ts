import type { IncomingMessage } from 'node:http';
import { type MoodyServer, startMoodyServer } from './moody-server.js';

/** A line as Loki was given it. */
export interface LokiLine {
  readonly labels: Readonly<Record<string, string>>;
  /** Nanoseconds since 1970. */
  readonly time: string;
  readonly line: string;
}

/** What a receiver does with a push: keeps it, answers with a status, or never answers. */
export type LokiMood = 'takes' | number | 'hangs';

/** Receives pushes as Loki does: `POST /loki/api/v1/push` in JSON, strictly. */
export interface LokiReceiver extends MoodyServer<LokiMood> {
  readonly lines: readonly LokiLine[];
  /** Of every push, taken or not. */
  readonly pushes: readonly { readonly headers: IncomingMessage['headers']; readonly lines: number }[];
}

/** Starts a receiver on the loopback interface. */
export async function startLokiReceiver(): Promise<LokiReceiver> {
  const lines: LokiLine[] = [];
  const pushes: { headers: IncomingMessage['headers']; lines: number }[] = [];
  const server = await startMoodyServer<LokiMood>('takes', (mood, request, body, response) => {
    const pushed = linesOf(request, body);
    pushes.push({ headers: request.headers, lines: pushed.length });
    if (mood === 'hangs') return;
    if (mood === 'takes') lines.push(...pushed);
    response.writeHead(mood === 'takes' ? 204 : mood).end();
  });
  return Object.assign(server, { lines, pushes });
}

/** @throws Error naming what Loki would refuse */
function linesOf(request: IncomingMessage, body: string): LokiLine[] {
  if (request.method !== 'POST' || request.url !== '/loki/api/v1/push') {
    throw new Error(`${request.method} ${request.url} is no push`);
  }
  if (request.headers['content-type'] !== 'application/json') throw new Error('the push is not called JSON');
  const { streams } = JSON.parse(body) as { streams: { stream: object; values: unknown[] }[] };
  return streams.flatMap(({ stream, values }) => {
    for (const [label, value] of Object.entries(stream)) {
      if (!/^[a-zA-Z_]\w*$/.test(label) || typeof value !== 'string') throw new Error(`label ${label}`);
    }
    return values.map((value) => {
      const [time, line, ...rest] = value as unknown[];
      if (typeof time !== 'string' || !/^\d{19}$/.test(time)) throw new Error(`time ${String(time)}`);
      if (typeof line !== 'string' || rest.length > 0) throw new Error(`line ${String(line)}`);
      return { labels: stream as Record<string, string>, time, line };
    });
  });
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

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
export interface LokiReceiver {
  readonly url: string;
  readonly lines: readonly LokiLine[];
  /** Of every push, taken or not. */
  readonly pushes: readonly { readonly headers: IncomingMessage['headers']; readonly lines: number }[];
  /** What was sent that Loki would not understand. */
  readonly faults: readonly string[];
  mood: LokiMood;
  stop(): Promise<void>;
}

/** Starts a receiver on the loopback interface. */
export async function startLokiReceiver(port = 0): Promise<LokiReceiver> {
  const lines: LokiLine[] = [];
  const pushes: { headers: IncomingMessage['headers']; lines: number }[] = [];
  const faults: string[] = [];
  const receiver = { mood: 'takes' as LokiMood };
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => faults.push(String(error)));
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    const { mood } = receiver;
    const pushed = linesOf(request, body);
    pushes.push({ headers: request.headers, lines: pushed.length });
    if (mood === 'hangs') return;
    if (mood === 'takes') lines.push(...pushed);
    response.writeHead(mood === 'takes' ? 204 : mood);
    response.end();
  };
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: listening } = server.address() as AddressInfo; // of a TCP server
  return {
    url: `http://127.0.0.1:${listening}`,
    lines,
    pushes,
    faults,
    get mood() {
      return receiver.mood;
    },
    set mood(mood) {
      receiver.mood = mood;
    },
    async stop() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
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

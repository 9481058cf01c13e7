import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJaeger } from './decode-jaeger.js';
import { decodeOtlp } from './decode-otlp.js';
import type { ReceivedSpan } from './received-span.js';

/** What a receiver does with what it is sent. */
export type Reception =
  | 'take'
  /** Reads all and never answers. */
  | 'hang'
  /** Answers with this status and these headers. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

export interface SpanReceiverOptions {
  /** Called with each span that was taken. Spans are kept only where there is none. */
  onSpan?: (span: ReceivedSpan) => void;
  /** @default a free one */
  port?: number;
}

/** Stands for a collector: takes OTLP (protobuf) at `/v1/traces` and Jaeger (thrift) at `/api/traces`. */
export interface SpanReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Spans that were taken. */
  readonly taken: number;
  /** Messages that came, taken or not. */
  readonly messages: number;
  /** Headers of the last message. */
  readonly headers: IncomingMessage['headers'];
  /** What could not be read. */
  readonly faults: readonly string[];
  /** From now on. */
  reception: Reception;
  close(): Promise<void>;
}

/** Starts a receiver on the loopback interface. */
export async function startSpanReceiver(options: SpanReceiverOptions = {}): Promise<SpanReceiver> {
  const spans: ReceivedSpan[] = [];
  const faults: string[] = [];
  let taken = 0;
  let messages = 0;
  let headers: IncomingMessage['headers'] = {};
  let reception: Reception = 'take';
  const take = (span: ReceivedSpan): void => {
    taken++;
    if (options.onSpan === undefined) spans.push(span);
    else options.onSpan(span);
  };

  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('error', () => {}); // whoever sends has gone
    request.on('end', () => {
      messages++;
      headers = request.headers;
      receive(request, response, Buffer.concat(parts));
    });
  });

  function receive(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    if (reception === 'hang') return;
    if (reception !== 'take') {
      response.writeHead(reception.status, reception.headers).end();
      return;
    }
    try {
      decoderFor(request)(body, take);
      response.end();
    } catch (error) {
      faults.push(String(error));
      response.writeHead(400).end();
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    faults,
    get taken() {
      return taken;
    },
    get messages() {
      return messages;
    },
    get headers() {
      return headers;
    },
    get reception() {
      return reception;
    },
    set reception(next) {
      reception = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function decoderFor({ url, headers }: IncomingMessage): typeof decodeOtlp {
  const path = url?.split('?')[0];
  const type = headers['content-type'];
  if (path === '/v1/traces' && type === 'application/x-protobuf') return decodeOtlp;
  if (path === '/api/traces' && type === 'application/x-thrift') return decodeJaeger;
  throw new Error(`nothing is taken at ${path} as ${type}`);
}

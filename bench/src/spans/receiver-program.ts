// Takes spans by OTLP (protobuf) at /v1/traces and by Jaeger (thrift) at /api/traces, and keeps account of them: a process of
// its own, which tells what it has over IPC. Its argument: how many requests are to be expected at most.
import { createServer } from 'node:http';
import { serving } from '../peers/apps/serving.js';
import { JaegerSpans } from './jaeger-spans.js';
import { OtlpSpans } from './otlp-spans.js';
import { SeenSpan } from './seen-span.js';
import { SpanAccount } from './span-account.js';

const span = new SeenSpan();
const account = new SpanAccount(Number(process.argv[2]));
const take = (): void => account.take(span);
const otlp = new OtlpSpans(span, take);
const jaeger = new JaegerSpans(span, take);
let messages = 0;
let bytes = 0;
const unreadable: string[] = [];
const MOST_UNREADABLE = 10;

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('error', () => {}); // whoever sends has gone
  request.on('end', () => {
    const message = Buffer.concat(parts);
    messages++;
    bytes += message.length;
    try {
      if (request.url === '/v1/traces') otlp.decode(message);
      else if (request.url === '/api/traces') jaeger.decode(message);
      else throw new Error(`nothing is taken at ${request.url}`);
      response.end();
    } catch (error) {
      if (unreadable.length < MOST_UNREADABLE) unreadable.push(String(error));
      response.writeHead(400).end();
    }
  });
});

process.on('message', ({ type }: { type?: string }) => {
  if (type === 'counts') process.send?.({ type, ...account.counts });
  if (type === 'spans') process.send?.({ type, ...account.report(), messages, bytes, unreadable });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  serving(address.port);
});

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serving } from './serving.js';
import { append } from './stream-store.js';

const server = createServer((request, response) => {
  if (request.method !== 'POST' || request.url !== '/tasks') return answer(response, 404, {});
  take(request).then(
    (id) => answer(response, 202, { task_id: id, ack: 'appended' }),
    (error: unknown) => answer(response, 400, { error: String(error) }),
  );
});
server.listen(0, '127.0.0.1', () => serving((server.address() as AddressInfo).port)); // it is no pipe

async function take(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  if (JSON.parse(body).data === undefined) throw new Error('data is missing');
  return append(body);
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    .end(text);
}

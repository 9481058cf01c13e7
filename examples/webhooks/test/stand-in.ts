import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { queueKeys } from '@sluice/contract';
import { DigestWriter } from '@sluice/example-webhooks';
import { Redis } from 'ioredis';

/** What becomes of one request, and of the task it brings. */
export type Course =
  | 'done'
  | 'done twice'
  | 'dead'
  /** 202, then nowhere: what must never happen. */
  | 'lost'
  /** 202, then nobody works it off. */
  | 'left in the stream'
  | 'refused 503'
  | 'refused 422'
  /** The connection breaks before anything is stored. */
  | 'reset'
  /** The connection breaks after the task was stored: it runs, and no 202 says so. */
  | 'stored, then reset';

/** A stand-in for engine and consumers that does to each request in turn what it is told, then `done`. */
export interface StandIn {
  url: string;
  /** What the requests sent, in the order they came. */
  requests: { path: string; body: string }[];
  close(): Promise<void>;
}

export async function startStandIn(
  redisUrl: string,
  streamName: string,
  digestDir: string,
  courses: Course[],
): Promise<StandIn> {
  const keys = queueKeys(streamName);
  const redis = new Redis(redisUrl, { protocol: 2 });
  redis.on('error', () => undefined); // tests take Redis away on purpose
  const digest = new DigestWriter(digestDir);
  const requests: StandIn['requests'] = [];

  const server = createServer((request, response) => {
    if (request.method !== 'POST') return void response.writeHead(404).end(); // the look whether anything answers
    void readBody(request).then((body) => {
      requests.push({ path: request.url ?? '', body });
      return follow(courses.shift() ?? 'done', response);
    });
  });

  async function follow(course: Course, response: ServerResponse): Promise<void> {
    if (course === 'reset') return void response.socket?.resetAndDestroy();
    if (course === 'refused 503') return refuse(response, 503, 'OVERLOADED');
    if (course === 'refused 422') return refuse(response, 422, 'VALIDATION_ERROR');
    const taskId = randomUUID();
    const entryId = course === 'lost' ? null : await append(taskId);
    if (course === 'stored, then reset') response.socket?.resetAndDestroy();
    else response.writeHead(202).end(JSON.stringify({ task_id: taskId }));
    if (course === 'left in the stream' || entryId === null) return;
    if (course === 'dead') await redis.xadd(keys.deadLetters, '*', 'task_id', taskId, 'reason', 'test');
    else work(taskId, course === 'done twice' ? 2 : 1);
    await redis.xdel(keys.stream('default'), entryId);
  }

  function append(taskId: string): Promise<string | null> {
    return redis.xadd(keys.stream('default'), '*', 'task_id', taskId, 'type', 'default', 'payload', '{}');
  }

  function work(taskId: string, runs: number): void {
    for (let attempt = 1; attempt <= runs; attempt += 1) {
      const at = new Date().toISOString();
      digest.append({
        task_id: taskId,
        attempt,
        at,
        type: 'default',
        repository: null,
        what: '',
        counts: {},
      });
    }
  }

  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () => {
      redis.disconnect();
      digest.close();
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response
    .writeHead(status, { 'retry-after': '0' })
    .end(JSON.stringify({ error: { code, message: 'test' } }));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // no encoding is set
  return Buffer.concat(chunks).toString();
}

// Argument: the url of Redis.
// What an intake that nobody was careful about does, for the negative controls: it stores what has come of a body
// before it looks at it, whole or not, has no limit of its own, and serves a hundred connections.
import { createServer } from 'node:http';
import { Redis } from 'ioredis';

const redis = new Redis(process.argv[2] ?? '');
const server = createServer({ insecureHTTPParser: true }, (request, response) => {
  response.shouldKeepAlive = false; // whoever sends again has to get in again
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('error', () => {}); // the client has gone
  request.on('close', async () => {
    const body = Buffer.concat(chunks);
    if (request.url !== '/tasks') {
      response.end('{}');
      return;
    }
    await redis.xadd('tasks:stream', '*', 'payload', body);
    try {
      JSON.parse(body.toString());
      response.writeHead(202).end('{}');
    } catch {
      response.writeHead(500).end('{}');
    }
  });
});
server.maxConnections = 100;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  process.send?.({ type: 'ready', url, opsUrl: url });
});
process.on('disconnect', () => process.exit());

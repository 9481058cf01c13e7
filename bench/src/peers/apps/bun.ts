// Runs on Bun. Arguments: URL of Redis, stream, port. See ../bun.ts.

/** What is used of https://bun.sh/docs/runtime/http/server and https://bun.sh/docs/runtime/redis */
declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    routes: Record<string, { POST: (request: Request) => Promise<Response> }>;
  }): void;
  /** Commands of one turn of the event loop are pipelined by default. */
  RedisClient: new (
    url: string,
  ) => { send(command: string, args: string[]): Promise<unknown> };
};

const [redisUrl = '', stream = '', port] = process.argv.slice(2);
const redis = new Bun.RedisClient(redisUrl);

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  routes: {
    '/tasks': {
      async POST(request) {
        const envelope = (await request.json()) as { data?: unknown };
        if (envelope.data === undefined) return Response.json({ error: 'data is missing' }, { status: 400 });
        const id = crypto.randomUUID();
        const fields = {
          task_id: id,
          timestamp: new Date().toISOString(),
          payload: JSON.stringify(envelope),
        };
        await redis.send('XADD', [stream, '*', ...Object.entries(fields).flat()]);
        return Response.json({ task_id: id, ack: 'appended' }, { status: 202 });
      },
    },
  },
});

export {}; // so that it is a module, with names of its own

import { manyTimes, sendRaw, taskRequest } from '../abuse/raw-request.js';
import { exactly, type Scenario, stated } from '../scenario.js';

const AT_ONCE = 16;
const PATIENCE_MS = 5000;

/** A request that ends at every byte, and one that comes in two packets, cut at every byte. */
export const requestsCutAnywhere: Scenario = {
  name: 'requests-cut-anywhere',
  promise: 'a request is taken when all of it has come, in however many packets, and not before',
  controls: { 'lax-server': 'a server stores what has come of a body when the client leaves' },
  async run(arena) {
    const engine = await arena.engine();
    const port = Number(new URL(engine.url).port);
    const request = taskRequest('{"data":{"n":1234567}}', [
      'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    ]);

    await manyTimes(request.length, AT_ONCE, (length) =>
      sendRaw({ port, pieces: [request.subarray(0, length)], patienceMs: PATIENCE_MS, hangsUp: true }),
    );
    // Answered after all those before it were looked at.
    await sendRaw({ port, pieces: [request], patienceMs: PATIENCE_MS });
    const before = await arena.redis.xlen(arena.stream);
    const ofParts = before - 1;

    const statuses = new Map<string, number>();
    await manyTimes(request.length - 1, AT_ONCE, async (n) => {
      const pieces = [request.subarray(0, n + 1), request.subarray(n + 1)];
      const { status, end } = await sendRaw({ port, pieces, patienceMs: PATIENCE_MS });
      const what = String(status ?? end);
      statuses.set(what, (statuses.get(what) ?? 0) + 1);
    });
    const accepted = statuses.get('202') ?? 0;
    const added = (await arena.redis.xlen(arena.stream)) - before;
    const requestLine = request.indexOf('\r\n') + 1;
    return [
      exactly(`stored of ${request.length} requests that ended too early`, ofParts, 0),
      stated(
        `in two packets, ${request.length - 1} ways`,
        [...statuses].map(([what, count]) => `${count}x ${what}`).join(', '),
      ),
      // The binary answers 505 itself when the request line is split; see docs/guarantees.md.
      exactly(
        'not taken though all of it came, cut behind the request line',
        Math.max(0, request.length - 1 - requestLine - accepted),
        0,
      ),
      exactly('entries besides one for each 202', added - accepted, 0),
      exactly('processes ended', engine.deaths(), 0),
    ];
  },
};

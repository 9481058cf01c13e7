import { sendRaw, taskRequest } from '../abuse/raw-request.js';
import { exactly, type Scenario, stated } from '../scenario.js';

const LIMIT = 65_536;
/** Whether Redis is silent for a second is not the question. */
const APPEND_TIMEOUT = '30';
/** Longer than a connection may stay idle, and than a body may take. */
const PATIENCE_MS = 30_000;
/** A server that waits for what does not come is not waited for: what is broken is what it stores. */
const PATIENCE_WITH_BROKEN_MS = 500;
const MEBIBYTE = 1024 ** 2;
const CHUNK = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`);

/** Bodies just below, at and above the bound, and lengths that lie. */
export const bodiesAtTheBound: Scenario = {
  name: 'bodies-at-the-bound',
  promise:
    'a body is taken up to MAX_PAYLOAD_SIZE and refused above it, however its length is given or lied about',
  controls: { 'lax-server': 'a server stores what it gets before it looks at it' },
  async run(arena) {
    const bounds = { MAX_PAYLOAD_SIZE: String(LIMIT), STREAM_MAXLEN: '1000000', APPEND_TIMEOUT };
    const strict = await arena.engine(bounds);
    const chunked = await arena.engine({ ...bounds, ALLOW_CHUNKED: 'true' });
    const [port, chunkedPort] = [strict, chunked].map(({ url }) => Number(new URL(url).port)) as [
      number,
      number,
    ];
    const bodyOf = (size: number) => `{"data":"${'x'.repeat(size - 11)}"}`;
    const patienceMs = arena.broken === undefined ? PATIENCE_MS : PATIENCE_WITH_BROKEN_MS;
    const send = async (to: number, pieces: Buffer[]) => {
      const { status, end } = await sendRaw({ port: to, pieces, patienceMs });
      return status ?? end;
    };
    const small = '{"data":1}';
    const head = 'POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const cases: [what: string, got: number | string, wanted: readonly (number | string)[]][] = [
      ['one byte less', await send(port, [taskRequest(bodyOf(LIMIT - 1))]), [202]],
      ['just the bound', await send(port, [taskRequest(bodyOf(LIMIT))]), [202]],
      ['one byte more', await send(port, [taskRequest(bodyOf(LIMIT + 1))]), [413]],
      [
        '8 times the bound announced',
        await send(port, [Buffer.from(`${head}Content-Length: ${LIMIT * 9}\r\n\r\n`)]),
        [413],
      ],
      [
        'a length of 20 digits',
        await send(port, [Buffer.from(`${head}Content-Length: 99999999999999999999\r\n\r\n`)]),
        [400, 'closed'],
      ],
      [
        'chunked, where that is not allowed',
        await send(port, [Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`)]),
        [411],
      ],
      [
        'chunked, small',
        await send(chunkedPort, [
          Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\na\r\n${small}\r\n0\r\n\r\n`),
        ]),
        [202],
      ],
      ['a length of 0', await send(port, [Buffer.from(`${head}Content-Length: 0\r\n\r\n`)]), [400]],
      [
        'less announced than sent: what is over is no request',
        await send(port, [taskRequest(small).subarray(0, -10), Buffer.from(`${small}{"data":2}`)]),
        [202],
      ],
      [
        'more announced than sent: closed in the end',
        await send(port, [Buffer.from(`${head}Content-Length: 50\r\n\r\n${small}`)]),
        ['closed', 408],
      ],
    ];
    // By far more than any bound.
    const endlessMib = arena.size(64, 1024);
    const endless = await sendEndless(chunkedPort, endlessMib * MEBIBYTE, patienceMs);
    const added = await arena.redis.xlen(arena.stream);
    const taken = cases.filter(([, got]) => got === 202).length;
    return [
      ...cases.map(([what, got, wanted]) => ({
        what,
        measured: String(got),
        bar: wanted.join(' or '),
        verdict: wanted.includes(got) ? ('held' as const) : ('missed' as const),
      })),
      exactly(`${endlessMib} MiB in chunks: answered`, endless.status ?? 0, 413),
      stated('of it sent before the connection was closed', `${(endless.sent / MEBIBYTE).toFixed(1)} MiB`),
      exactly('entries besides one for each 202', added - taken, 0),
      exactly('processes ended', strict.deaths() + chunked.deaths(), 0),
    ];
  },
};

/** Sends up to so much in chunks; how much went out, and the answer. */
async function sendEndless(
  port: number,
  bytes: number,
  patienceMs: number,
): Promise<{ sent: number; status: number | undefined }> {
  const head =
    'POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
  let sent = 0;
  function* pieces(): Generator<Buffer> {
    yield Buffer.from(head);
    for (; sent < bytes; sent += CHUNK.length) yield CHUNK;
  }
  const { status } = await sendRaw({ port, pieces: pieces(), patienceMs });
  return { sent, status };
}

import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What came back for bytes that were sent. */
export interface RawAnswer {
  /** Of the first answer; undefined when there was none. */
  readonly status: number | undefined;
  /** Whether the answer came from our code: uWebSockets.js answers what it cannot read by itself, and not in JSON. */
  readonly isOurs: boolean;
  /** `silent`: neither an answer nor the end of the connection came while there was patience. */
  readonly end: 'answered' | 'closed' | 'silent';
}

export interface RawRequest {
  readonly port: number;
  /** Sent one after the other, each in a packet of its own. */
  readonly pieces: Iterable<Buffer>;
  readonly patienceMs: number;
  /** Hangs up as soon as all is sent. */
  readonly hangsUp?: boolean;
}

/** Long enough for the kernel to hand on the piece before. */
const BETWEEN_PIECES_MS = 2;
/** Not that of an interim answer. */
const STATUS_LINE = /HTTP\/1\.1 ([2-5]\d\d)/;

/** Sends bytes over a connection of their own. */
export function sendRaw({ port, pieces, patienceMs, hangsUp = false }: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let head = '';
    let isOver = false;
    const finish = (end: RawAnswer['end']): void => {
      if (isOver) return;
      isOver = true;
      const status = STATUS_LINE.exec(head)?.[1];
      const isOurs = head.includes('application/json');
      resolve({ status: status === undefined ? undefined : Number(status), isOurs, end });
      socket.destroy();
    };
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (STATUS_LINE.test(head)) finish('answered');
    });
    socket.on('error', () => finish('closed')); // a reset is one way to close
    socket.on('close', () => finish('closed'));
    socket.setTimeout(patienceMs, () => finish('silent'));
    socket.on('connect', async () => {
      let isFirst = true;
      for (const piece of pieces) {
        if (!isFirst) await pause(BETWEEN_PIECES_MS);
        if (isOver) return;
        isFirst = false;
        await new Promise<void>((sent) => socket.write(piece, () => sent()));
      }
      if (hangsUp) finish('closed');
    });
  });
}

/** The bytes of a request for a task. */
export function taskRequest(body: string | Buffer, headers: readonly string[] = []): Buffer {
  const lines = [
    'POST /tasks HTTP/1.1',
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), Buffer.from(body)]);
}

/** Does something so many times, a number of them at once. */
export async function manyTimes(
  times: number,
  atOnce: number,
  doOne: (n: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < times) await doOne(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, times) }, worker));
}

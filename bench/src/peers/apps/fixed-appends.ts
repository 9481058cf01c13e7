import { connect, type Socket } from 'node:net';
import { encodeCommand, MESSAGE_FIELDS } from '@sluice/contract';

const ROOM = 4 << 20;
const LINE_FEED = 10;
/** A reply of XADD: the length of the entry's id, and the id. */
const LINES_OF_REPLY = 2;

/** What the engine writes of a task, the same for all but for the payload. */
const VALUES = [
  '00000000-0000-4000-8000-000000000000',
  '2024-05-17T09:30:00.000Z',
  'default',
  'application/json',
  '',
  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
];
const NO_PAYLOAD = '$0\r\n\r\n';

/**
 * The least that storing tasks takes: commands of which only the payload is written anew, one write for all tasks of a
 * turn of the event loop, and the lines of the replies counted.
 */
export class FixedAppends<Waiter> {
  private readonly socket: Socket;
  private readonly beforePayload: string;
  private readonly afterPayload: Buffer;
  private readonly heads = new Map<number, Buffer>();
  private readonly buffer = Buffer.allocUnsafeSlow(ROOM);
  private at = 0;
  private sent: Waiter[] = [];
  private answered = 0;
  private lines = 0;

  constructor(
    redisUrl: URL,
    stream: string,
    private readonly onAppended: (waiter: Waiter) => void,
  ) {
    const fields = MESSAGE_FIELDS.flatMap((name, i) => [name, VALUES[i] ?? '']);
    const command = encodeCommand(['XADD', stream, '*', ...fields]);
    const payloadAt = command.indexOf(NO_PAYLOAD);
    this.beforePayload = command.slice(0, payloadAt);
    this.afterPayload = Buffer.from(command.slice(payloadAt + NO_PAYLOAD.length - 2), 'latin1');
    this.socket = connect(Number(redisUrl.port), redisUrl.hostname);
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk) => this.count(chunk));
  }

  /** Adds a task to the next write. */
  add(payload: Uint8Array): void {
    this.put(this.headFor(payload.length));
    this.put(payload);
    this.put(this.afterPayload);
  }

  /** Writes what was added, one task for each of those who wait. */
  write(waiters: readonly Waiter[]): void {
    this.sent.push(...waiters);
    this.socket.write(Buffer.from(this.buffer.subarray(0, this.at)));
    this.at = 0;
  }

  private headFor(length: number): Buffer {
    let head = this.heads.get(length);
    if (head === undefined) {
      head = Buffer.from(`${this.beforePayload}$${length}\r\n`, 'latin1');
      this.heads.set(length, head);
    }
    return head;
  }

  private put(bytes: Uint8Array): void {
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  private count(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length; i++) {
      if (chunk[i] !== LINE_FEED || ++this.lines < LINES_OF_REPLY) continue;
      this.lines = 0;
      this.onAppended(this.sent[this.answered++] as Waiter); // a reply for each that was sent
    }
    if (this.answered < this.sent.length) return;
    this.sent = [];
    this.answered = 0;
  }
}

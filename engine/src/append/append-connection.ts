import { connect as connectPlain, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { encodeCommand } from '@sluice/contract';
import { type OnReplies, RespReplies } from './resp-replies.js';

export interface AppendConnectionOptions {
  redisUrl: string;
  /** Longest time a command waits for its reply, in milliseconds; then the connection is given up. */
  timeoutMs: number;
  /** Replies arrived, in the order of the commands: without an error, the commands have succeeded. */
  onReplies: OnReplies;
  /** The connection is usable. */
  onUp: () => void;
  /** The connection is gone; no reply will come for anything sent on it. Called once per connection that was up, and for the first failure. */
  onDown: (reason: string) => void;
}

/** Commands sent in one write. */
interface Sent {
  repliesDue: number;
  /** When it was written, on the clock `awakeMs`. */
  readonly at: number;
}

/** As much as Node itself reads at once. */
const READ_BYTES = 64 * 1024;
const FIRST_RETRY_MS = 25;
const LAST_RETRY_MS = 500;

/**
 * One connection to Redis that carries commands we have encoded ourselves, and reports their replies in order.
 * It never sends a command twice: what was in flight when it broke is reported as down, not repeated.
 *
 * ```
 *          connect          +PONG
 *  waiting ───────▶ greeting ─────▶ up ──┐ reply overdue, error, close
 *     ▲                │ failure         │
 *     └── back-off ────┴─────────────────┘           close() ends it from any state
 * ```
 *
 * A frozen Redis still lets the kernel accept connections, so only an answered PING counts as up.
 */
export class AppendConnection {
  private state: 'waiting' | 'greeting' | 'up' | 'closed' = 'closed';
  private socket: Socket | undefined;
  /** Replies still due, oldest first; of a greeting too. */
  private sent: Sent[] = [];
  private failures = 0;
  private toldDown = false;
  private retryTimer: NodeJS.Timeout | undefined;
  private readonly overdueTimer: NodeJS.Timeout;
  private readonly lookEveryMs: number;
  private lookedAt = performance.now();
  /**
   * Milliseconds in which replies could have been read, as of the last look. It goes on by two looks at most for each:
   * while the process stands still (SIGSTOP, a suspended machine, a long pause of its host), nobody can blame Redis.
   */
  private awakeMs = 0;
  private readonly greetings: readonly Greeting[];
  private readonly greetingText: string;

  constructor(private readonly options: AppendConnectionOptions) {
    this.greetings = greetingsFor(options.redisUrl);
    this.greetingText = this.greetings.map(({ words }) => encodeCommand(words)).join('');
    this.lookEveryMs = Math.max(5, options.timeoutMs / 10);
    this.overdueTimer = setInterval(() => this.checkOverdue(), this.lookEveryMs);
    this.overdueTimer.unref();
  }

  get isUp(): boolean {
    return this.state === 'up';
  }

  /** Starts connecting, and keeps reconnecting until {@link close}. */
  open(): void {
    this.connect();
  }

  /**
   * Sends commands that are due `replies` replies. Only while {@link isUp}.
   * `onReleased` is called when the chunks are no longer needed, sent or not.
   */
  send(chunks: readonly Buffer[], replies: number, onReleased: () => void): void {
    const socket = this.socket;
    if (this.state !== 'up' || socket === undefined) throw new Error('the connection to Redis is not up');
    this.sent.push({ repliesDue: replies, at: this.awakeMs });
    if (chunks.length === 1) {
      socket.write(chunks[0] as Buffer, onReleased);
      return;
    }
    socket.cork();
    const last = chunks.length - 1;
    for (let i = 0; i < last; i++) socket.write(chunks[i] as Buffer);
    socket.write(chunks[last] as Buffer, onReleased);
    socket.uncork();
  }

  /** Gives the connection up and makes a new one, as after a READONLY: the name may lead to another server now. */
  reconnect(reason: string): void {
    if (this.state === 'up') this.lose(reason);
  }

  /** Ends the connection for good. */
  close(): void {
    this.state = 'closed';
    clearInterval(this.overdueTimer);
    clearTimeout(this.retryTimer);
    this.socket?.destroy();
    this.socket = undefined;
  }

  private connect(): void {
    const url = new URL(this.options.redisUrl);
    const host = url.hostname.replace(/^\[|\]$/g, '') || 'localhost';
    const port = Number(url.port || 6379);
    this.state = 'greeting';
    this.sent = [{ repliesDue: this.greetings.length, at: this.awakeMs }];
    const replies = new RespReplies((count, error, integer, status) =>
      this.receive(count, error, integer, status),
    );
    const onBytes = (bytes: Buffer): void => {
      if (this.socket !== socket) return;
      try {
        replies.push(bytes);
      } catch (error) {
        this.lose(error instanceof Error ? error.message : String(error));
      }
    };
    const isTls = url.protocol === 'rediss:';
    const socket = isTls
      ? // The name of the server is for certificates by name: RFC 6066 allows no address there.
        connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}) })
      : connectPlain({ host, port, onread: intoOneBuffer(onBytes) });
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    socket.on(isTls ? 'secureConnect' : 'connect', () => socket.write(this.greetingText));
    if (isTls) socket.on('data', onBytes);
    socket.on('error', (error) => {
      if (this.socket === socket) this.lose(error.message);
    });
    socket.on('close', () => {
      if (this.socket === socket) this.lose('Redis closed the connection');
    });
  }

  private receive(
    count: number,
    error: string | undefined,
    integer: number | undefined,
    status: string | undefined,
  ): void {
    if (this.state === 'up') {
      this.replied(count);
      // Only now: one that answers PING but takes nothing, such as a replica, is not asked 40 times a second.
      if (error === undefined) this.failures = 0;
      this.options.onReplies(count, error, integer, status);
      return;
    }
    for (let i = 0; i < count && this.state === 'greeting'; i++) this.receiveGreeting(error);
  }

  private receiveGreeting(error: string | undefined): void {
    const greeting = this.greetings[this.greetings.length - (this.sent[0]?.repliesDue ?? 0)];
    if (error !== undefined && greeting?.mayFail !== true) {
      this.lose(error);
      return;
    }
    this.replied(1);
    if (this.sent.length > 0) return;
    this.state = 'up';
    this.toldDown = false;
    this.options.onUp();
  }

  private replied(count: number): void {
    let left = count;
    for (;;) {
      const oldest = this.sent[0];
      if (oldest === undefined) return; // whoever counts the replies sees that one was not due
      oldest.repliesDue -= left;
      if (oldest.repliesDue > 0) return;
      left = -oldest.repliesDue;
      this.sent.shift();
      if (left === 0) return;
    }
  }

  private lose(reason: string): void {
    if (this.state !== 'up' && this.state !== 'greeting') return;
    this.state = 'waiting';
    this.sent = [];
    const socket = this.socket;
    this.socket = undefined;
    socket?.destroy();
    const delay = Math.min(FIRST_RETRY_MS * 2 ** Math.min(this.failures, 10), LAST_RETRY_MS);
    this.failures++;
    this.retryTimer = setTimeout(() => this.connect(), delay);
    if (!this.toldDown) {
      this.toldDown = true;
      this.options.onDown(reason);
    }
  }

  private checkOverdue(): void {
    const now = performance.now();
    this.awakeMs += Math.min(now - this.lookedAt, 2 * this.lookEveryMs);
    this.lookedAt = now;
    if (!this.isOverdue()) return;
    // The replies may have come while this process stood still: they are read before this runs.
    setImmediate(() => {
      if (this.isOverdue()) this.lose(`Redis did not answer for ${this.options.timeoutMs} ms`);
    });
  }

  private isOverdue(): boolean {
    const oldest = this.sent[0];
    return oldest !== undefined && this.awakeMs - oldest.at > this.options.timeoutMs;
  }
}

/**
 * Reads of a plain socket into the same memory each time, which for few replies at once is a good part of what a read costs
 * (docs/decisions/0012). TLS sockets of Node know no such thing.
 */
function intoOneBuffer(onBytes: (bytes: Buffer) => void): OnReadOpts {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  return {
    buffer,
    callback: (length) => {
      onBytes(buffer.subarray(0, length));
      return true; // go on reading
    },
  };
}

/** A command sent before the connection counts as up. */
interface Greeting {
  readonly words: readonly string[];
  /** Its failure does not matter. */
  readonly mayFail: boolean;
}

/** AUTH and SELECT as the URL asks for, then a PING whose answer says that the server takes commands. */
function greetingsFor(redisUrl: string): Greeting[] {
  const url = new URL(redisUrl);
  const greetings: Greeting[] = [];
  if (url.password !== '') {
    const user = url.username === '' ? [] : [decodeURIComponent(url.username)];
    greetings.push({ words: ['AUTH', ...user, decodeURIComponent(url.password)], mayFail: false });
  }
  const database = url.pathname.slice(1);
  if (database !== '' && database !== '0') greetings.push({ words: ['SELECT', database], mayFail: false });
  // The name is for people who look at CLIENT LIST; not every user of Redis, and not every proxy, may set it.
  greetings.push({ words: ['CLIENT', 'SETNAME', 'sluice-engine-append'], mayFail: true });
  greetings.push({ words: ['PING'], mayFail: false });
  return greetings;
}

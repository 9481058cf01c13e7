import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { RespReplies } from './resp-replies.js';

/** How a command sent over the connection ended: `undefined` if it succeeded, else the error of Redis. */
type OnReply = (error: string | undefined) => void;

export interface AppendConnectionOptions {
  redisUrl: string;
  /** Longest silence of Redis while a reply is due, in milliseconds; then the connection is given up. */
  timeoutMs: number;
  /** One reply arrived, in the order of the commands. */
  onReply: OnReply;
  /** The connection is usable. */
  onUp: () => void;
  /** The connection is gone; no reply will come for anything sent on it. Called once per connection that was up, and for the first failure. */
  onDown: (reason: string) => void;
}

const FIRST_RETRY_MS = 25;
const LAST_RETRY_MS = 500;

/**
 * One connection to Redis that carries commands we have encoded ourselves, and reports their replies in order.
 * It never sends a command twice: what was in flight when it broke is reported as down, not repeated.
 *
 * ```
 *          connect          +PONG
 *  waiting ───────▶ greeting ─────▶ up ──┐ silence over timeoutMs, error, close
 *     ▲                │ failure         │
 *     └── back-off ────┴─────────────────┘           close() ends it from any state
 * ```
 *
 * A frozen Redis still lets the kernel accept connections, so only an answered PING counts as up.
 */
export class AppendConnection {
  private state: 'waiting' | 'greeting' | 'up' | 'closed' = 'closed';
  private socket: Socket | undefined;
  private greetingsDue = 0;
  private repliesDue = 0;
  private lastProgress = 0;
  private failures = 0;
  private toldDown = false;
  private retryTimer: NodeJS.Timeout | undefined;
  private readonly silenceTimer: NodeJS.Timeout;
  private readonly greetings: Buffer;
  private readonly greetingsCount: number;

  constructor(private readonly options: AppendConnectionOptions) {
    const { payload, count } = greetingsFor(options.redisUrl);
    this.greetings = payload;
    this.greetingsCount = count;
    this.silenceTimer = setInterval(() => this.checkSilence(), Math.max(5, options.timeoutMs / 10));
    this.silenceTimer.unref();
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
    if (this.repliesDue === 0) this.lastProgress = performance.now();
    this.repliesDue += replies;
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
    clearInterval(this.silenceTimer);
    clearTimeout(this.retryTimer);
    this.socket?.destroy();
    this.socket = undefined;
  }

  private connect(): void {
    const url = new URL(this.options.redisUrl);
    const host = url.hostname.replace(/^\[|\]$/g, '') || 'localhost';
    const port = Number(url.port || 6379);
    this.state = 'greeting';
    this.greetingsDue = this.greetingsCount;
    this.repliesDue = 0;
    this.lastProgress = performance.now();
    const socket =
      url.protocol === 'rediss:'
        ? connectTls({ host, port, servername: host })
        : connectPlain({ host, port });
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    const replies = new RespReplies((error) => this.receive(error));
    socket.on(url.protocol === 'rediss:' ? 'secureConnect' : 'connect', () => socket.write(this.greetings));
    socket.on('data', (chunk: Buffer) => {
      if (this.socket !== socket) return;
      this.lastProgress = performance.now();
      try {
        replies.push(chunk);
      } catch (error) {
        this.lose(error instanceof Error ? error.message : String(error));
      }
    });
    socket.on('error', (error) => {
      if (this.socket === socket) this.lose(error.message);
    });
    socket.on('close', () => {
      if (this.socket === socket) this.lose('Redis closed the connection');
    });
  }

  private receive(error: string | undefined): void {
    if (this.state === 'greeting') {
      if (error !== undefined) {
        this.lose(error);
        return;
      }
      this.greetingsDue--;
      if (this.greetingsDue > 0) return;
      this.state = 'up';
      this.failures = 0;
      this.toldDown = false;
      this.options.onUp();
      return;
    }
    if (this.state !== 'up') return;
    this.repliesDue--;
    this.options.onReply(error);
  }

  private lose(reason: string): void {
    if (this.state !== 'up' && this.state !== 'greeting') return;
    this.state = 'waiting';
    this.repliesDue = 0;
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

  private checkSilence(): void {
    const due = this.state === 'greeting' || (this.state === 'up' && this.repliesDue > 0);
    if (due && performance.now() - this.lastProgress > this.options.timeoutMs) {
      this.lose(`Redis did not answer for ${this.options.timeoutMs} ms`);
    }
  }
}

/** AUTH and SELECT as the URL asks for, then a PING whose answer says that the server takes commands. */
function greetingsFor(redisUrl: string): { payload: Buffer; count: number } {
  const url = new URL(redisUrl);
  const commands: string[][] = [];
  if (url.password !== '') {
    const password = decodeURIComponent(url.password);
    commands.push(
      url.username === '' ? ['AUTH', password] : ['AUTH', decodeURIComponent(url.username), password],
    );
  }
  const database = url.pathname.slice(1);
  if (database !== '' && database !== '0') commands.push(['SELECT', database]);
  commands.push(['CLIENT', 'SETNAME', 'sluice-engine-append'], ['PING']);
  return { payload: Buffer.concat(commands.map(encodeCommand)), count: commands.length };
}

/** One command as RESP: an array of bulk strings. */
export function encodeCommand(words: readonly string[]): Buffer {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${Buffer.byteLength(word)}\r\n${word}\r\n`;
  return Buffer.from(text);
}

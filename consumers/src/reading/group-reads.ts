import type { Socket } from 'node:net';
import { encodeCommand } from '@sluice/contract';
import { REDIS_SILENCE_MS, type RedisLink } from '../redis/redis-link.js';
import { type Delivery, GroupReply } from './group-reply.js';

/** A read that waits for its reply. */
interface Waiting {
  readonly reply: GroupReply;
  readonly resolve: (deliveries: readonly Delivery[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Sends XREADGROUP over a connection that ioredis has made, and reads the replies itself.
 *
 * ioredis finds the server, greets it, authenticates and comes back after a failure. Once it is ready, the bytes that
 * arrive are ours: it must not be given another command on this connection.
 */
export class GroupReads {
  readonly #link: RedisLink;
  /** The socket whose bytes we read. */
  #socket: Socket | undefined;
  #waiting: Waiting | undefined;
  #chunks = 0;
  #silence: NodeJS.Timeout | undefined;

  constructor(link: RedisLink) {
    this.#link = link;
  }

  /**
   * Sends a read; one at a time, and only while the link is up.
   *
   * @throws ReplyError when Redis refuses; another Error when no reply comes, and entries may have been delivered
   */
  send(words: readonly (string | number)[]): Promise<readonly Delivery[]> {
    const socket = this.#takeOver();
    return new Promise((resolve, reject) => {
      if (socket.destroyed) {
        reject(new Error('the connection to Redis is gone'));
        return;
      }
      this.#waiting = { reply: new GroupReply(), resolve, reject };
      socket.write(encodeCommand(words));
      this.#silence?.refresh();
    });
  }

  #takeOver(): Socket {
    const socket = this.#link.redis.stream;
    if (socket === this.#socket) return socket;
    this.#socket = socket;
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => this.#receive(socket, chunk));
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#overdue(socket), REDIS_SILENCE_MS);
    socket.once('close', () => {
      if (this.#socket !== socket) return;
      clearTimeout(this.#silence);
      this.#settle()?.reject(new Error('the connection to Redis was closed'));
    });
    return socket;
  }

  #receive(socket: Socket, chunk: Buffer): void {
    const waiting = this.#waiting;
    this.#chunks += 1;
    try {
      if (waiting === undefined) throw new Error('Redis sent something nobody asked for');
      this.#silence?.refresh();
      if (waiting.reply.push(chunk)) this.#settle()?.resolve(waiting.reply.deliveries);
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      this.#settle()?.reject(reason);
      if (reason.name !== 'ReplyError') socket.destroy(reason); // where its next reply begins cannot be told
    }
  }

  #settle(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  #overdue(socket: Socket): void {
    if (this.#waiting === undefined) return; // started anew by the next read
    const chunks = this.#chunks;
    // When this process stood still itself, the reply may have come long ago: it is read before this runs.
    setImmediate(() => {
      if (this.#chunks !== chunks) return;
      socket.destroy(new Error(`Redis did not answer a read for ${REDIS_SILENCE_MS} ms`));
    });
  }
}

import { createSocket, type Socket } from 'node:dgram';
import { Writable } from 'node:stream';

export interface UdpTarget {
  readonly host: string;
  readonly port: number;
}

/** A name may come to stand for another address. */
const LOOK_UP_AGAIN_MS = 60_000;
/** So soon after an attempt that failed there is no other. */
const RETRY_AFTER_MS = 1000;
const REFUSED = 'ECONNREFUSED';

/**
 * Sends what is written to it by UDP, a packet a write, from a connected socket: only such a one is told that nobody
 * listens (ICMP). Keeps nothing: a packet that cannot be sent at once is counted, and gone.
 */
export class UdpPackets extends Writable {
  private socket: Socket | undefined;
  private connecting: Socket | undefined;
  private attemptedAt = Number.NEGATIVE_INFINITY;
  private why = new Error('its address is still being looked up');

  /** @param onDropped told how many packets did not arrive, and why, as far as anybody says */
  constructor(
    private readonly target: UdpTarget,
    private readonly onDropped: (packets: number, why: Error) => void,
  ) {
    super({ decodeStrings: true });
    this.connect();
  }

  override _write(packet: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const since = performance.now() - this.attemptedAt;
    if (since >= (this.socket === undefined ? RETRY_AFTER_MS : LOOK_UP_AGAIN_MS)) this.connect();
    if (this.socket === undefined) this.onDropped(1, this.why);
    else {
      this.socket.send(packet, (error: NodeJS.ErrnoException | null) => {
        // The refusal is of the packet before this one, and it kept this one from being sent.
        if (error !== null) this.onDropped(error.code === REFUSED ? 2 : 1, error);
      });
    }
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    for (const socket of [this.socket, this.connecting]) socket?.close();
    this.socket = undefined;
    this.connecting = undefined;
    done(error);
  }

  /** Looks the address up and takes a socket to it from then on; the one before stays until there is one. */
  private connect(): void {
    if (this.connecting !== undefined) return; // a lookup may hang for long
    this.attemptedAt = performance.now();
    const { host, port } = this.target;
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    this.connecting = socket;
    socket.unref();
    const failed = (error: Error): void => {
      if (this.connecting !== socket) return;
      this.connecting = undefined;
      this.why = error;
      socket.close();
    };
    socket.once('error', failed);
    socket.connect(port, host, (error?: Error) => {
      if (this.connecting !== socket) return; // it is over
      if (error !== undefined) {
        failed(error);
        return;
      }
      this.connecting = undefined;
      socket.removeListener('error', failed);
      socket.on('error', (refused) => this.onDropped(1, refused));
      this.socket?.close();
      this.socket = socket;
    });
  }
}

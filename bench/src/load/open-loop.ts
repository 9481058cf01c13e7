import { connect, type Socket } from 'node:net';
import { monotonicMs } from '../monotonic.js';
import { Arrivals } from './arrivals.js';
import { numberedData } from './body.js';
import { ResponseScanner } from './response-scanner.js';

export interface OpenLoopOptions {
  port: number;
  path: string;
  /** The same for every request; `numbered`: each has its number in the data, and times are kept by number. */
  body: string | 'numbered';
  /** Keep-alive connections; each has at most one request under way. */
  connections: number;
  ratePerSecond: number;
  /** Sent at the same rate before the measured part; counted, not measured. */
  warmUpSeconds: number;
  seconds: number;
  /** How long to wait for the last answers. */
  patienceSeconds: number;
  /**
   * What it does between one look at clock and sockets and the next. `looks`: nothing, which keeps a core busy. `naps`:
   * sleeps up to 0.1 ms, for loads that leave it no core; such a request is late by that, which its latency includes, and
   * what arrives is seen later by that. `sleeps`: until something arrives or falls due, for few requests whose way
   * through other processes is measured and must not be disturbed; what falls due is up to 2 ms late.
   */
  between: 'looks' | 'naps' | 'sleeps';
}

/** What became of a load at a constant rate. */
export interface OpenLoopResult {
  /** Answers by status, warm-up included. */
  statuses: Record<number, number>;
  /** Requests without an answer when patience ended. */
  unanswered: number;
  brokenConnections: number;
  /** From when the first request was due to the last answer, or to when patience ended. */
  tookSeconds: number;
  /** Of each measured request that was answered: microseconds from when it was *due* until its answer was read. */
  latencies: Uint32Array;
  /**
   * Of each measured request: microseconds from when it was due until the generator saw to it. It is the
   * generator's own part of the latencies, and of the doubt in them.
   */
  lags: Uint32Array;
  /** By number, warm-up included; empty unless the load is numbered. */
  times: LoadTimes;
}

/** Times of the tasks of a load, by number, on the clock of monotonicMs. NaN where there was no answer. */
export interface LoadTimes {
  dueAt: Float64Array;
  /** When the generator saw to it; what lies between is its own part of what is counted from `dueAt`. */
  seenAt: Float64Array;
  /** When whoever sent it knew that it was accepted. */
  acceptedAt: Float64Array;
}

const MICROSECONDS = 1000;

/**
 * Sends requests at times fixed in advance, over loopback. A request that is due while every connection waits for
 * an answer waits for the first that is free, and its latency counts from when it was due: a server that stalls
 * is charged for all who would have come meanwhile (no coordinated omission).
 *
 * Mostly it looks at the clock and the sockets by turns, because timers are a millisecond coarse.
 */
export async function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const { port, path, body, ratePerSecond, warmUpSeconds, seconds } = options;
  const requestWith = (content: string): Buffer =>
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${Buffer.byteLength(content)}\r\n\r\n${content}`,
    );
  const isNumbered = body === 'numbered';
  const same = requestWith(body);
  const load = new OpenLoop(
    isNumbered ? (n) => requestWith(JSON.stringify({ data: numberedData(n) })) : () => same,
    isNumbered,
    options.patienceSeconds,
    options.between,
  );
  await Promise.all(Array.from({ length: options.connections }, () => load.connect(port)));
  return load.run((start) => new Arrivals(start, ratePerSecond, warmUpSeconds, seconds));
}

interface Connection {
  socket: Socket;
  /** Number of the request under way; -1 when there is none. */
  request: number;
}

const ACCEPTED = 202;
const READ_BYTES = 16 * 1024;
/** Until the first request is due, so that it is not late already. */
const LEAD_MS = 20;

const LOOK_FOR_LAST_ANSWERS_MS = 5;

/** The kernel adds up to 0.05 ms of its own (timer slack, prctl(2)). */
const NAP_MS = 0.05;
const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4));

class OpenLoop {
  private readonly connections: Connection[] = [];
  private readonly free: Connection[] = [];
  private readonly statuses: Record<number, number> = {};
  private arrivals = new Arrivals(0, 1, 0, 1);
  private latencies = new Uint32Array(0);
  private lags = new Uint32Array(0);
  private readonly times: LoadTimes = {
    dueAt: new Float64Array(0),
    seenAt: new Float64Array(0),
    acceptedAt: new Float64Array(0),
  };
  /** The next request to fall due, and the next to be sent: between the two they wait for a connection. */
  private nextDue = 0;
  private nextSent = 0;
  private answered = 0;
  private broken = 0;
  private isOver = false;

  constructor(
    private readonly requestOf: (n: number) => Buffer,
    private readonly keepsTimes: boolean,
    private readonly patienceSeconds: number,
    private readonly between: OpenLoopOptions['between'],
  ) {}

  connect(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const scanner = new ResponseScanner((status) => this.receive(connection, status));
      const socket = connect({
        host: '127.0.0.1',
        port,
        noDelay: true,
        // One buffer per connection, read again and again: no allocation and no stream event per answer.
        onread: {
          buffer: Buffer.allocUnsafeSlow(READ_BYTES),
          callback: (length, bytes) => {
            scanner.push(bytes, length);
            return true;
          },
        },
      });
      const connection: Connection = { socket, request: -1 };
      socket.once('connect', () => {
        this.connections.push(connection);
        this.free.push(connection);
        resolve();
      });
      socket.on('error', reject);
      socket.on('close', () => this.lose(connection));
    });
  }

  run(schedule: (start: number) => Arrivals): Promise<OpenLoopResult> {
    const arrivals = schedule(performance.now() + LEAD_MS);
    this.arrivals = arrivals;
    this.latencies = new Uint32Array(arrivals.total - arrivals.firstMeasured);
    this.lags = new Uint32Array(arrivals.total - arrivals.firstMeasured);
    if (this.keepsTimes) {
      for (const kind of ['dueAt', 'seenAt', 'acceptedAt'] as const) {
        this.times[kind] = new Float64Array(arrivals.total).fill(Number.NaN);
      }
    }
    const giveUpAt = arrivals.dueAt(arrivals.total) + this.patienceSeconds * 1000;
    return new Promise((resolve) => {
      const turn = (): void => {
        if (this.between === 'naps') this.nap();
        this.sendDue();
        const isDone = this.answered === arrivals.total || this.broken === this.connections.length;
        if (isDone || performance.now() >= giveUpAt) resolve(this.finish());
        else if (this.between === 'sleeps') setTimeout(turn, this.untilDue());
        else setImmediate(turn);
      };
      turn();
    });
  }

  private nap(): void {
    const isDue =
      this.nextDue < this.arrivals.total && performance.now() >= this.arrivals.dueAt(this.nextDue);
    if (!isDue) Atomics.wait(NEVER_WOKEN, 0, 0, NAP_MS);
  }

  private untilDue(): number {
    const isOneLeft = this.nextDue < this.arrivals.total;
    return isOneLeft ? this.arrivals.dueAt(this.nextDue) - performance.now() : LOOK_FOR_LAST_ANSWERS_MS;
  }

  private sendDue(): void {
    const { arrivals } = this;
    while (this.nextDue < arrivals.total) {
      const lag = performance.now() - arrivals.dueAt(this.nextDue);
      if (lag < 0) return;
      const measured = this.nextDue - arrivals.firstMeasured;
      if (measured >= 0) this.lags[measured] = lag * MICROSECONDS;
      if (this.keepsTimes) {
        const now = monotonicMs();
        this.times.seenAt[this.nextDue] = now;
        this.times.dueAt[this.nextDue] = now - lag;
      }
      this.nextDue++;
      this.sendNext();
    }
  }

  private sendNext(): void {
    // The one that has been free for longest: a server closes what it does not hear from for a while.
    const connection = this.nextSent < this.nextDue ? this.free.shift() : undefined;
    if (connection === undefined) return;
    connection.request = this.nextSent++;
    connection.socket.write(this.requestOf(connection.request));
  }

  private receive(connection: Connection, status: number): void {
    const measured = connection.request - this.arrivals.firstMeasured;
    if (this.keepsTimes && status === ACCEPTED) {
      this.times.acceptedAt[connection.request] = monotonicMs();
    }
    if (measured >= 0) {
      const latency = performance.now() - this.arrivals.dueAt(connection.request);
      this.latencies[measured] = Math.max(1, latency * MICROSECONDS); // 0 means: not answered
    }
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    this.answered++;
    connection.request = -1;
    this.free.push(connection);
    this.sendNext();
    // Many answers may be read before the next turn; what falls due meanwhile must not wait for it.
    this.sendDue();
  }

  private lose(connection: Connection): void {
    if (this.isOver) return;
    this.broken++;
    const at = this.free.indexOf(connection);
    if (at !== -1) this.free.splice(at, 1);
  }

  private finish(): OpenLoopResult {
    this.isOver = true;
    for (const { socket } of this.connections) socket.destroy();
    return {
      statuses: this.statuses,
      unanswered: this.nextDue - this.answered,
      brokenConnections: this.broken,
      tookSeconds: (performance.now() - this.arrivals.dueAt(0)) / 1000,
      latencies: this.latencies.filter((latency) => latency > 0),
      times: this.times,
      lags: this.lags.slice(0, Math.max(0, this.nextDue - this.arrivals.firstMeasured)),
    };
  }
}

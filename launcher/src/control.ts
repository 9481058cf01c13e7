import { existsSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { SluiceError } from '@sluice/contract';
import { holdingLock } from './lock-file.js';

/** Where a launcher, and what it runs, can be reached. */
export interface RunState {
  pid: number;
  url: string;
  opsUrl: string;
  consumersOpsUrl: string;
  redisUrl: string;
}

/** What a launcher says of itself, at once to whoever connects, and again whenever it changes. */
export type LauncherState =
  | { phase: 'starting' }
  | { phase: 'running'; run: RunState }
  | { phase: 'ending' }
  | { phase: 'ended'; line: string };

const STOP = 'stop';
/** A launcher answers at once or is frozen. */
const ANSWER_LIMIT_MS = 5000;

/**
 * The socket by which `make down` and a second `make up` reach a running launcher. Whoever answers there is
 * alive and is the launcher: unlike a process id in a file, which may by now be somebody else's. Holding the socket
 * is also what keeps a checkout to one launcher.
 */
export class ControlServer {
  private readonly server: Server;
  private readonly clients = new Set<Socket>();
  private state: LauncherState = { phase: 'starting' };

  constructor(
    private readonly path: string,
    onStop: () => void,
  ) {
    this.server = createServer((client) => {
      this.clients.add(client);
      client.on('close', () => this.clients.delete(client));
      client.on('error', () => {}); // gone again
      createInterface({ input: client })
        .on('line', (line) => {
          if (line === STOP) onStop();
        })
        .on('error', () => {}); // it passes on those of the client
      send(client, this.state);
    });
  }

  /** Resolves with whether this launcher is the only one; if not, another one has the socket. */
  listen(): Promise<boolean> {
    // Of two that find a socket left behind, the second would remove the new one of the first.
    return holdingLock(`${this.path}.lock`, async () => {
      if (await this.tryListen()) return true;
      const running = await ControlClient.connect(this.path);
      if (running !== undefined) {
        running.close();
        return false;
      }
      rmSync(this.path, { force: true }); // left behind by one that was killed
      return this.tryListen();
    });
  }

  announce(state: LauncherState): void {
    this.state = state;
    for (const client of this.clients) send(client, state);
  }

  /** Tells all who wait that it is over. Their connections end with this process, which is how they know that it has. */
  close(line: string): void {
    this.announce({ phase: 'ended', line });
    this.server.close(); // removes the socket
  }

  private tryListen(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => {
        if (error.code === 'EADDRINUSE') resolve(false);
        else reject(error);
      };
      this.server.once('error', onError);
      this.server.listen(shortPath(this.path), () => {
        this.server.off('error', onError);
        resolve(true);
      });
    });
  }
}

/** The other end: a launcher that runs, as seen by another command. */
export class ControlClient {
  /** What it said last. */
  state: LauncherState | undefined;
  private readonly waiting = new Set<() => void>();
  private hasClosed = false;

  private constructor(private readonly socket: Socket) {
    createInterface({ input: socket })
      .on('line', (line) => {
        this.state = JSON.parse(line) as LauncherState; // written by ControlServer
        for (const look of this.waiting) look();
      })
      .on('error', () => {}) // 'close' follows
      .on('close', () => {
        this.hasClosed = true;
        for (const look of this.waiting) look();
      });
    socket.on('error', () => {}); // 'close' follows
  }

  /** The launcher that has this socket; nothing if none does. */
  static connect(path: string): Promise<ControlClient | undefined> {
    if (!existsSync(path)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const socket = connect(shortPath(path));
      socket.once('error', () => resolve(undefined)); // left behind by one that was killed
      socket.once('connect', () => resolve(new ControlClient(socket)));
    });
  }

  /** Asks it to end all it runs and itself. */
  stop(): void {
    this.socket.write(`${STOP}\n`);
  }

  /**
   * Waits until it is in one of these phases; resolves with nothing when it is gone before that.
   *
   * @throws SluiceError when it has never said anything
   */
  until(phases: readonly LauncherState['phase'][]): Promise<LauncherState | undefined> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(limit);
        this.waiting.delete(look);
      };
      const look = (): void => {
        const isThere = this.state !== undefined && phases.includes(this.state.phase);
        if (!isThere && !this.hasClosed) return;
        settle();
        resolve(isThere ? this.state : undefined);
      };
      const limit = setTimeout(() => {
        if (this.state !== undefined) return;
        settle();
        this.close();
        reject(
          new SluiceError(
            'INTERNAL_ERROR',
            'a launcher of this checkout is there and does not answer: if it is stopped, continue or kill it',
          ),
        );
      }, ANSWER_LIMIT_MS);
      this.waiting.add(look);
      look();
    });
  }

  /** Waits until its process is gone. */
  gone(): Promise<void> {
    return new Promise((resolve) => {
      if (this.hasClosed) resolve();
      else this.socket.once('close', () => resolve());
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

function send(client: Socket, state: LauncherState): void {
  client.write(`${JSON.stringify(state)}\n`);
}

/** Socket paths are limited to some 100 bytes: a relative one is short wherever the checkout is. */
function shortPath(path: string): string {
  return relative(process.cwd(), path);
}

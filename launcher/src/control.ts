import { existsSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { relative } from 'node:path';

/** What a running launcher says of itself. */
export interface RunState {
  pid: number;
  url: string;
  opsUrl: string;
  redisUrl: string;
}

/**
 * The socket by which `make down` and a second `make up` reach a running launcher. Whoever answers there is
 * alive and is the launcher: unlike a process id in a file, which may by now be somebody else's.
 */
export class ControlServer {
  private readonly server: Server;
  private readonly clients = new Set<Socket>();

  constructor(
    private readonly path: string,
    state: () => RunState,
    stop: () => void,
  ) {
    this.server = createServer((client) => {
      this.clients.add(client);
      client.on('close', () => this.clients.delete(client));
      client.on('error', () => {}); // gone again
      client.on('data', (word) => {
        if (word.toString() === 'stop') stop();
      });
      client.write(`${JSON.stringify(state())}\n`);
    });
  }

  listen(): Promise<void> {
    rmSync(this.path, { force: true });
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(shortPath(this.path), resolve);
    });
  }

  /** Tells all who wait that it is over, by closing their connections. */
  close(lastLine: string): void {
    for (const client of this.clients) client.end(`${lastLine}\n`);
    this.server.close();
    rmSync(this.path, { force: true });
  }
}

/** The launcher that runs already, if there is one. */
export function runningLauncher(path: string): Promise<RunState | undefined> {
  return new Promise((resolve) => {
    if (!existsSync(path)) {
      resolve(undefined);
      return;
    }
    const socket = connect(shortPath(path));
    socket.once('data', (chunk) => {
      socket.destroy();
      resolve(JSON.parse(chunk.toString()) as RunState); // written by ControlServer
    });
    socket.once('error', () => resolve(undefined)); // left behind by one that was killed
  });
}

/** Ends the launcher that runs; resolves with its last words when it is over, or with nothing if none runs. */
export function stopLauncher(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (!existsSync(path)) {
      resolve(undefined);
      return;
    }
    let text = '';
    const socket = connect(shortPath(path));
    socket.on('connect', () => socket.write('stop'));
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      const [state, ...rest] = text.trim().split('\n');
      resolve(state === '' ? undefined : rest.join('\n'));
    });
  });
}

/** Socket paths are limited to some 100 bytes: a relative one is short wherever the checkout is. */
function shortPath(path: string): string {
  return relative(process.cwd(), path);
}

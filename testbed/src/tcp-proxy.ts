import { connect, createServer, type Socket } from 'node:net';

/** A proxy on the loopback interface that can be made to fail as networks do. */
export interface TcpProxy {
  readonly port: number;
  /** While on, what the target sends is thrown away: commands arrive, their replies do not. */
  dropReplies(on: boolean): void;
  /** While on, what clients send is kept back; all of it goes on when it is turned off. */
  holdCommands(on: boolean): void;
  /** What is kept back. */
  readonly held: Buffer;
  /** Takes connections to another port from now on, as a name does after a failover; those that are open stay. */
  pointAt(port: number): void;
  /** Breaks every connection; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of a port of this machine. */
export function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const open = new Set<Socket>();
  let dropping = false;
  let holding = false;
  let held: { to: Socket; chunk: Buffer }[] = [];
  let port = targetPort;
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      open.add(from);
      from.on('data', (chunk) => {
        if (from === target && dropping) return;
        if (from === client && holding) held.push({ to, chunk });
        else to.write(chunk);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') {
        reject(new Error('the proxy has no port'));
        return;
      }
      resolve({
        port: address.port,
        dropReplies: (on) => {
          dropping = on;
        },
        holdCommands: (on) => {
          holding = on;
          if (on) return;
          for (const { to, chunk } of held) to.write(chunk);
          held = [];
        },
        get held() {
          return Buffer.concat(held.map(({ chunk }) => chunk));
        },
        pointAt: (other) => {
          port = other;
        },
        cut: () => {
          for (const socket of open) socket.destroy();
        },
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of open) socket.destroy();
          }),
      });
    });
  });
}

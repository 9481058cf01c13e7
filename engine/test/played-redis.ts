import { createServer, type Socket } from 'node:net';

/** A server that plays the few replies of a Redis 7.2 that an engine asks for. It stores nothing. */
export interface PlayedRedis {
  readonly port: number;
  /** Every command so far but those of greetings and looks. */
  readonly commands: string[][];
  /** What WAITAOF is answered with from now on; undefined: nothing. */
  waitaof: string | undefined;
  /** Whether it says that it keeps an append-only file. */
  hasFile: boolean;
  /** Sends the reply to the last WAITAOF that got none. */
  answer(reply: string): void;
  close(): Promise<void>;
}

/** Starts one on the loopback interface. */
export function playRedis(): Promise<PlayedRedis> {
  const open = new Set<Socket>();
  let waiting: Socket | undefined;
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => open.delete(socket));
    let rest = '';
    socket.on('data', (chunk) => {
      rest += chunk.toString('latin1');
      for (let command = takeCommand(rest); command !== undefined; command = takeCommand(rest)) {
        rest = rest.slice(command.length);
        const reply = replyTo(command.words);
        if (reply === undefined) waiting = socket;
        else socket.write(reply);
      }
    });
  });
  const played: Omit<PlayedRedis, 'port' | 'answer' | 'close'> = {
    commands: [],
    waitaof: undefined,
    hasFile: true,
  };
  const replyTo = (words: string[]): string | undefined => {
    switch (words[0]?.toUpperCase()) {
      case 'PING':
        return '+PONG\r\n';
      case 'CLIENT':
        return '+OK\r\n';
      case 'COMMAND':
        return '*1\r\n*1\r\n$7\r\nwaitaof\r\n';
      case 'INFO': {
        const info = `redis_version:7.2.0\r\nloading:0\r\naof_enabled:${played.hasFile ? 1 : 0}\r\n`;
        return `$${info.length}\r\n${info}\r\n`;
      }
      case 'XLEN':
        return ':0\r\n';
      case 'XADD':
      case 'EVAL':
        played.commands.push(words);
        return '$3\r\n1-1\r\n';
      case 'WAITAOF':
        played.commands.push(words);
        return played.waitaof;
      default:
        return '-ERR not played\r\n';
    }
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }; // listens on TCP
      const close = (): Promise<void> =>
        new Promise((closed) => {
          server.close(() => closed());
          for (const socket of open) socket.destroy();
        });
      const answer = (reply: string): void => {
        waiting?.write(reply);
      };
      resolve(Object.assign(played, { port, answer, close }));
    });
  });
}

/** The first command in some bytes, if it is there whole. */
function takeCommand(bytes: string): { words: string[]; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(bytes);
  if (head === null) return undefined;
  const words: string[] = [];
  let at = head[0].length;
  while (words.length < Number(head[1])) {
    const size = /^\$(\d+)\r\n/.exec(bytes.slice(at, at + 20));
    if (size === null) return undefined;
    const start = at + size[0].length;
    at = start + Number(size[1]) + 2;
    if (at > bytes.length) return undefined;
    words.push(bytes.slice(start, at - 2));
  }
  return { words, length: at };
}

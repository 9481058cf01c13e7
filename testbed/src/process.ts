import { fork } from 'node:child_process';
import { endWithUs } from './end-with-us.js';

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A Node program started by a test or bench. */
export interface RunningProcess {
  readonly pid: number;
  /** The message `{type: 'ready', …}` it sent over IPC; rejects when it ends without one. */
  readonly ready: Promise<unknown>;
  readonly exited: Promise<Exit>;
  /** Sends `{type: question}` over IPC; resolves with the next message of this type, rejects when it ends without one. */
  ask(question: string): Promise<unknown>;
  signal(signal: NodeJS.Signals): void;
  /** All it has written so far, standard error too; the last 1 MiB of it. */
  output(): string;
}

const OUTPUT_BYTES = 1024 * 1024;

/**
 * Starts a Node program with an IPC channel; `env` is added to the environment of this process. `nodeArgs` are for Node
 * itself, and by default those of this process.
 */
export function startProcess(
  script: string,
  env: Record<string, string> = {},
  args: readonly string[] = [],
  nodeArgs: readonly string[] = process.execArgv,
): RunningProcess {
  const child = fork(script, args, {
    env: { ...process.env, ...env },
    execArgv: [...nodeArgs],
    silent: true,
  });
  endWithUs(child);
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_BYTES);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  // 'close' rather than 'exit': by then all output has been read.
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  const ready = new Promise<unknown>((resolve, reject) => {
    child.on('message', (message) => {
      if ((message as { type?: string }).type === 'ready') resolve(message);
    });
    void exited.then(({ code, signal }) =>
      reject(new Error(`${script} ended before it was ready (${signal ?? `exit code ${code}`}):\n${output}`)),
    );
  });
  ready.catch(() => {}); // a test may wait for the exit only
  return {
    pid: child.pid ?? 0,
    ready,
    exited,
    ask: (question) =>
      new Promise((resolve, reject) => {
        const take = (message: unknown): void => {
          if ((message as { type?: string }).type !== question) return;
          child.off('message', take);
          resolve(message);
        };
        child.on('message', take);
        void exited.then(({ code, signal }) =>
          reject(
            new Error(`${script} ended before it told "${question}" (${signal ?? `exit code ${code}`})`),
          ),
        );
        child.send({ type: question }, (error) => error !== null && reject(error));
      }),
    signal: (signal) => void child.kill(signal),
    output: () => output,
  };
}

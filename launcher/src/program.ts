import { type ChildProcess, fork } from 'node:child_process';
import { SluiceError } from '@sluice/contract';
import type { LogFile } from './log-file.js';
import { RestartPolicy } from './restart-policy.js';

export interface ProgramOptions<Ready> {
  /** As it is called in what people read. */
  name: string;
  launch: () => ChildProcess;
  /** Resolves when it serves. */
  ready: (child: ChildProcess) => Promise<Ready>;
  log: LogFile;
  /** It was started, for the first time or again. */
  onStarted: (pid: number) => void;
  /** It died. It is started again in so many milliseconds, or not at all when it keeps dying. */
  onDied: (exit: string, restartInMs: number | undefined) => void;
}

/** A program that takes longer to become ready does not become ready. */
const READY_LIMIT_MS = 60_000;
/** Longer than any shutdown timeout one would set on a machine of one's own. */
const STOP_LIMIT_MS = 60_000;

/** One program: started, replaced when it dies, ended with SIGTERM. */
export class Program<Ready> {
  private child: ChildProcess | undefined;
  private restartTimer: NodeJS.Timeout | undefined;
  private readonly restarts = new RestartPolicy();
  private readyAt: number | undefined;
  private hasServed = false;
  private stopping = false;

  constructor(private readonly options: ProgramOptions<Ready>) {}

  /**
   * Resolves with what it said when it was ready.
   *
   * @throws SluiceError with the lines it printed, when it ends before that; one that is never ready is ended
   */
  async start(): Promise<Ready> {
    const { name, launch, ready, log } = this.options;
    this.readyAt = undefined;
    const logStart = log.size;
    const child = launch();
    let limit: NodeJS.Timeout | undefined;
    const failure = new Promise<never>((_, reject) => {
      child.once('error', (error) => {
        this.child = undefined;
        reject(new SluiceError('INTERNAL_ERROR', `the ${name} cannot be started: ${error.message}`));
      });
      child.once('exit', (code, signal) => {
        this.child = undefined;
        const exit = signal ?? `exit code ${code}`;
        const complaint = log.complaintSince(logStart) || `the ${name} ended at its start (${exit})`;
        reject(new SluiceError('INTERNAL_ERROR', complaint));
        this.replace(exit);
      });
      limit = setTimeout(() => {
        const seconds = READY_LIMIT_MS / 1000;
        reject(
          new SluiceError('INTERNAL_ERROR', `the ${name} was not ready within ${seconds} s; see ${log.path}`),
        );
        child.kill('SIGKILL');
      }, READY_LIMIT_MS);
    });
    this.child = child;
    if (child.pid !== undefined) this.options.onStarted(child.pid);
    try {
      const said = await Promise.race([ready(child), failure]);
      this.readyAt = performance.now();
      this.hasServed = true;
      return said;
    } finally {
      clearTimeout(limit);
      failure.catch(() => {}); // its death after that is seen to by replace()
    }
  }

  /** Ends it, by force after a minute. Resolves with whether it had been running. */
  async stop(): Promise<boolean> {
    this.stopping = true;
    clearTimeout(this.restartTimer);
    const { child } = this;
    if (child === undefined) return false;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await exited;
    clearTimeout(limit);
    return true;
  }

  private replace(exit: string): void {
    // One that has never served did not start: whoever started it hears of that.
    if (this.stopping || !this.hasServed) return;
    const servedMs = this.readyAt === undefined ? 0 : performance.now() - this.readyAt;
    const restartInMs = this.restarts.afterDeath(servedMs);
    this.options.onDied(exit, restartInMs);
    if (restartInMs === undefined) return;
    this.restartTimer = setTimeout(() => void this.start().catch(() => {}), restartInMs);
  }
}

/**
 * Starts one of our own programs: a Node program that says `{type: 'ready', …}` over its IPC channel, and ends when
 * the other end of the channel does.
 */
export function forkOwn(script: string, environment: NodeJS.ProcessEnv, log: LogFile): ChildProcess {
  return fork(script, [], {
    env: environment,
    stdio: ['ignore', log.descriptor, log.descriptor, 'ipc'],
    // A process group of its own: Ctrl-C is for the launcher, which ends the programs in order.
    detached: true,
  });
}

/** What one of our own programs says when it is ready. */
export function readyMessage(child: ChildProcess): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    child.on('message', (message: Record<string, unknown>) => {
      if (message.type === 'ready') resolve(message);
    });
  });
}

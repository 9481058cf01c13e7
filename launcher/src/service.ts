import { type ChildProcess, fork } from 'node:child_process';
import { SluiceError } from '@sluice/contract';
import type { LogFile } from './log-file.js';

export interface ServiceOptions {
  name: string;
  script: string;
  environment: NodeJS.ProcessEnv;
  log: LogFile;
  /** It died. It is started again in so many milliseconds, or not at all when it keeps dying. */
  onDied: (exit: string, restartInMs: number | undefined) => void;
}

const FIRST_RESTART_MS = 200;
const LAST_RESTART_MS = 5000;
/** A program that has run for so long did not die of how it was started: it is replaced however often it dies. */
const STABLE_AFTER_MS = 1000;
const GIVE_UP_AFTER_DEATHS = 8;
/** Longer than any shutdown timeout one would set on a machine of one's own. */
const STOP_LIMIT_MS = 60_000;

/** One of our programs: started, replaced when it dies, ended with SIGTERM. */
export class Service {
  private child: ChildProcess | undefined;
  private restartTimer: NodeJS.Timeout | undefined;
  private deathsInARow = 0;
  private stopping = false;
  private readyAt: number | undefined;
  private hasStarted = false;

  constructor(private readonly options: ServiceOptions) {}

  /**
   * Resolves with what it said when it was ready.
   *
   * @throws SluiceError with the lines it printed, when it ends before that
   */
  start(): Promise<Record<string, unknown>> {
    const { name, script, environment, log } = this.options;
    this.readyAt = undefined;
    const logStart = log.size;
    // A process group of its own: Ctrl-C is for the launcher, which ends the programs in order.
    const child = fork(script, [], {
      env: environment,
      stdio: ['ignore', log.descriptor, log.descriptor, 'ipc'],
      detached: true,
    });
    this.child = child;
    return new Promise((resolve, reject) => {
      child.on('message', (message: Record<string, unknown>) => {
        if (message.type !== 'ready') return;
        this.readyAt = performance.now();
        this.hasStarted = true;
        resolve(message);
      });
      child.once('exit', (code, signal) => {
        const exit = signal ?? `exit code ${code}`;
        const complaint = log.complaintSince(logStart) || `the ${name} ended at its start (${exit})`;
        reject(new SluiceError('INTERNAL_ERROR', complaint));
        // One that was never ready did not start: whoever started it hears of that.
        if (this.hasStarted && !this.stopping) this.replace(exit);
      });
    });
  }

  /** Ends it, by force after a minute. Resolves with whether it had been running. */
  async stop(): Promise<boolean> {
    this.stopping = true;
    clearTimeout(this.restartTimer);
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return false;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await exited;
    clearTimeout(limit);
    return true;
  }

  private replace(exit: string): void {
    const stable = this.readyAt !== undefined && performance.now() - this.readyAt >= STABLE_AFTER_MS;
    this.deathsInARow = stable ? 1 : this.deathsInARow + 1;
    if (this.deathsInARow >= GIVE_UP_AFTER_DEATHS) {
      this.options.onDied(exit, undefined);
      return;
    }
    const restartInMs = Math.min(FIRST_RESTART_MS * 2 ** (this.deathsInARow - 1), LAST_RESTART_MS);
    this.options.onDied(exit, restartInMs);
    this.restartTimer = setTimeout(() => void this.start().catch(() => {}), restartInMs);
  }
}

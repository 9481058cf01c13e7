import { type ChildProcess, fork } from 'node:child_process';

/** Starts an engine process, which loads what it needs, and does nothing before it is told to. */
export function forkEngineProcess(nodeArguments: readonly string[]): ChildProcess {
  return fork(new URL('./engine-process.js', import.meta.url), {
    serialization: 'advanced',
    execArgv: [...nodeArguments],
  });
}

/**
 * The first engine process, started before there is a primary: the two load at the same time, which takes each of them
 * longer than all that comes after. Until it is taken it keeps nobody waiting, and ends with this process.
 */
export class Standby {
  private child: ChildProcess | undefined;
  private readonly end = (): void => {
    this.child?.kill('SIGKILL'); // nothing was asked of it yet
  };

  constructor(nodeArguments: readonly string[]) {
    this.child = forkEngineProcess(nodeArguments);
    this.child.on('error', () => {}); // not started: then it is not there to be taken
    this.child.unref();
    this.child.channel?.unref();
    process.once('exit', this.end);
  }

  /** Of the process, until it is taken; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** The process, once; undefined when it is taken, or dead. */
  take(): ChildProcess | undefined {
    const { child } = this;
    this.child = undefined;
    process.off('exit', this.end);
    if (child === undefined || !child.connected || child.exitCode !== null || child.signalCode !== null) {
      return undefined;
    }
    child.removeAllListeners('error');
    child.ref();
    child.channel?.ref();
    return child;
  }
}

import { execFile, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { waitFor } from '@sluice/testbed';
import { untilEnd } from '../child.js';
import type { IntakeProgram } from './peer-with-redis.js';

const READY_WITHIN_MS = 10_000;
const OUTPUT_CHARACTERS = 10_000;
const PROBE_TIMEOUT_MS = 10_000;
/** Longer than any turn. */
const LIMIT_SECONDS = 600;

export interface ForeignProgram {
  /** As it stands in messages. */
  name: string;
  command: string;
  args: readonly string[];
  /** Where it will listen on 127.0.0.1. */
  port: number;
  /** @default /tasks */
  path?: string;
}

/** Starts a program that is not Node's, and waits until it listens. It ends with the bench. */
export async function startForeignProgram(program: ForeignProgram): Promise<IntakeProgram> {
  const { name, port, path = '/tasks' } = program;
  const [command, ...args] = await endingWithUs([program.command, ...program.args]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_CHARACTERS);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let end: Error | undefined;
  const ended = untilEnd(child, name, LIMIT_SECONDS).then(
    () => {
      end = new Error(`${name} ended`);
    },
    (error: Error) => {
      end = error;
    },
  );
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  try {
    await waitFor(async () => end !== undefined || (await accepts(port)), {
      timeoutMs: READY_WITHIN_MS,
      what: `${name} to listen`,
    });
    if (end !== undefined) throw end;
    return { url: `http://127.0.0.1:${port}${path}`, pid: child.pid ?? 0, output: () => output, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What a command prints, without white space around it; undefined when there is none, or it fails. */
export async function outputOf(command: string, ...args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { timeout: PROBE_TIMEOUT_MS });
    return stdout.trim();
  } catch {
    return undefined;
  }
}

/** Linux has a command that lets a program end with whoever started it, even by SIGKILL; not every system has it. */
async function endingWithUs(command: [string, ...string[]]): Promise<[string, ...string[]]> {
  const setpriv = ['--pdeathsig', 'KILL'];
  if ((await outputOf('setpriv', ...setpriv, 'true')) === undefined) return command;
  return ['setpriv', ...setpriv, ...command];
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (does: boolean) => (): void => {
      socket.destroy();
      resolve(does);
    };
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
  });
}

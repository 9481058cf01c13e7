import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, waitFor } from '@sluice/testbed';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  stdout(): string;
}

/** A folder of its own for what the launcher keeps, and its commands on it. */
export interface Sluice {
  readonly data: string;
  readonly port: number;
  readonly opsPort: number;
  begin(command: string, environment?: Record<string, string>): Running;
  run(command: string, environment?: Record<string, string>): Promise<Finished>;
  /** Ids of all processes that were started from this folder's commands and still run. */
  processes(): number[];
  /** Ids of the programs the launcher notes as running. */
  programs(): { name: string; pid: number }[];
  log(name: string): string;
}

/** Ended and removed after the test, whatever happened. */
export async function sluice(t: TestContext): Promise<Sluice> {
  const data = await mkdtemp(join(tmpdir(), 'sluice-up-'));
  const port = await freePort();
  const opsPort = await freePort();
  const begin: Sluice['begin'] = (command, environment = {}) => {
    const child = spawn(process.execPath, [MAIN, command], {
      env: {
        ...process.env,
        SLUICE_DATA_DIR: data,
        SERVICE_HOST: '127.0.0.1',
        SERVICE_PORT: String(port),
        METRICS_PORT: String(opsPort),
        WORKER_PROCESSES: '1',
        CONSUMER_THREADS: '1',
        SHUTDOWN_DELAY: '0',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const text = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (chunk: Buffer) => {
        text[stream] += chunk.toString();
      });
    }
    const finished = new Promise<Finished>((resolve) => {
      child.once('close', (code) => resolve({ code, ...text }));
    });
    return { child, finished, stdout: () => text.stdout };
  };
  t.after(async () => {
    for (const pid of processesWith(data)) kill(pid);
    await waitFor(() => processesWith(data).length === 0, { timeoutMs: 20_000, what: 'all to be ended' });
    await rm(data, { recursive: true, force: true });
  });
  return {
    data,
    port,
    opsPort,
    begin,
    run: (command, environment) => begin(command, environment).finished,
    processes: () => processesWith(data),
    programs: () => JSON.parse(readFileSync(join(data, 'run.json'), 'utf8')),
    log: (name) => readFileSync(join(data, 'logs', `${name}.log`), 'utf8'),
  };
}

/** An executable shell script. */
export async function script(path: string, body: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

/** Ids of the processes that have a text in their environment. All that a command starts inherits its environment. */
function processesWith(text: string): number[] {
  if (!existsSync('/proc/self/environ')) {
    const { stdout } = spawnSync('ps', ['axeww', '-o', 'pid=,command='], { encoding: 'utf8' });
    const lines = stdout.split('\n').filter((line) => line.includes(text));
    return lines.map((line) => Number.parseInt(line, 10)).filter((pid) => pid !== process.pid);
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(text);
      } catch {
        return false; // gone, or another user's
      }
    })
    .map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone meanwhile
  }
}

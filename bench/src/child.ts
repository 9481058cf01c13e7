import type { ChildProcess } from 'node:child_process';
import { BenchFault } from './bench-fault.js';

const OUTPUT_CHARACTERS = 10_000;
const started = new Set<ChildProcess>();

/** Ends all programs that are waited for. */
export function killStarted(): void {
  for (const child of started) child.kill('SIGKILL');
}

// However the bench ends, its generators must not go on.
process.on('exit', killStarted);

/**
 * Waits until a program has ended by itself.
 *
 * @throws BenchFault when it fails, or takes longer than the limit; it is killed then
 */
export async function untilEnd(child: ChildProcess, name: string, limitSeconds: number): Promise<void> {
  started.add(child);
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-OUTPUT_CHARACTERS);
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), limitSeconds * 1000);
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      // 'close' rather than 'exit': by then all output has been read.
      child.once('close', (code, signal) => {
        if (code === 0) resolve();
        else reject(new BenchFault(`${name} ended with ${signal ?? `exit code ${code}`}\n${errors}`.trim()));
      });
    });
  } finally {
    clearTimeout(limit);
    started.delete(child);
  }
}

import { execFile } from 'node:child_process';

/** What one GPU does at a moment. */
export interface GpuSample {
  /** Percent of the time in which a kernel ran, over the last sampling period of the driver. */
  readonly utilisation: number;
  readonly memoryUsedBytes: number;
}

/** What a call of nvidia-smi came to. */
export type GpuReading =
  | { readonly kind: 'gpus'; readonly gpus: readonly GpuSample[] }
  /** There is no nvidia-smi on the PATH. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly reason: string };

const QUERY = ['--query-gpu=utilization.gpu,memory.used', '--format=csv,noheader,nounits'];
const LIMIT_MS = 5000;
const MOST_OUTPUT_BYTES = 64 * 1024;
const MIB = 1024 * 1024;

/**
 * Asks the NVIDIA driver how its GPUs are used, in a process of its own that is killed when it takes longer than the
 * limit: a driver in trouble hangs whoever asks. Never throws.
 *
 * Source: `nvidia-smi --help-query-gpu`.
 */
export function readGpus(limitMs = LIMIT_MS): Promise<GpuReading> {
  return new Promise((resolve) => {
    const settings = {
      timeout: limitMs,
      killSignal: 'SIGKILL',
      maxBuffer: MOST_OUTPUT_BYTES,
      windowsHide: true,
    } as const;
    execFile('nvidia-smi', QUERY, settings, (error, output) => {
      if (error === null) resolve(gpusOf(output));
      else if (error.code === 'ENOENT' || error.code === 'EACCES') resolve({ kind: 'missing' });
      else if (error.killed === true) resolve({ kind: 'failed', reason: `no answer within ${limitMs} ms` });
      else resolve({ kind: 'failed', reason: `nvidia-smi ended with ${error.code ?? error.signal ?? '?'}` });
    });
  });
}

/** A line for each GPU, `<percent>, <MiB>`. A GPU that cannot say (`[N/A]`, in MIG mode) is left out. */
export function gpusOf(output: string): GpuReading {
  const gpus = output.split('\n').flatMap((line) => {
    const match = /^\s*(\d{1,3})\s*,\s*(\d{1,9})\s*$/.exec(line);
    if (match === null) return [];
    const [, utilisation, mib] = match;
    return [{ utilisation: Math.min(100, Number(utilisation)), memoryUsedBytes: Number(mib) * MIB }];
  });
  return gpus.length > 0 ? { kind: 'gpus', gpus } : { kind: 'failed', reason: 'nvidia-smi names no GPU' };
}

import type { ConsumerListener } from '@sluice/telemetry';
import type { GpuReading } from './nvidia-smi.js';

/** How long a GPU that has been seen is left alone after nvidia-smi has failed. */
const AFTER_FAILURE_MS = 60_000;

/**
 * Follows the GPUs of this machine: whether there are any, and how busy. Looked for once; without any there is no further
 * call, and it is said once.
 */
export class GpuWatch {
  readonly #read: () => Promise<GpuReading>;
  readonly #report: ConsumerListener;
  readonly #now: () => number;
  #state: 'unknown' | 'present' | 'absent' = 'unknown';
  #reading = false;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(read: () => Promise<GpuReading>, report: ConsumerListener, now: () => number) {
    this.#read = read;
    this.#report = report;
    this.#now = now;
  }

  /**
   * Percent by which the busiest GPU is used: which of several a task uses is not known.
   *
   * @returns undefined without a GPU, while an earlier call has not come back, and for a while after it failed
   */
  async utilisation(): Promise<number | undefined> {
    if (this.#state === 'absent' || this.#reading || this.#now() < this.#notBefore) return undefined;
    this.#reading = true;
    const reading = await this.#read();
    this.#reading = false;
    switch (reading.kind) {
      case 'gpus':
        if (this.#state === 'unknown') this.#report({ type: 'gpu-found', gpus: reading.gpus.length });
        this.#state = 'present';
        return Math.max(...reading.gpus.map((gpu) => gpu.utilisation));
      case 'missing':
        this.#failed('there is no nvidia-smi');
        return undefined;
      case 'failed':
        this.#failed(reading.reason);
        return undefined;
    }
  }

  #failed(reason: string): void {
    if (this.#state === 'unknown') {
      this.#state = 'absent';
      this.#report({ type: 'gpu-absent', reason });
    } else this.#notBefore = this.#now() + AFTER_FAILURE_MS;
  }
}

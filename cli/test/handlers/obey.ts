import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Unrecoverable } from '@sluice/consumers';

/** What a test task tells its handler to do. */
export interface Told {
  do?: 'return' | 'throw' | 'give-up' | 'never-settle' | 'wait';
  ms?: number;
  /** From the moment this file exists the task works, whatever else it says: the deployment that fixes it. */
  worksWith?: string;
}

/** Does what the task says. */
export async function obey(data: unknown): Promise<void> {
  const told = (data ?? {}) as Told; // the tests append nothing else
  if (told.worksWith !== undefined && existsSync(told.worksWith)) return;
  switch (told.do) {
    case undefined:
    case 'return':
      return;
    case 'throw':
      throw new TypeError('it does not work');
    case 'give-up':
      throw new Unrecoverable('never going to work');
    case 'never-settle':
      await new Promise(() => {});
      return;
    case 'wait':
      await pause(told.ms);
      return;
  }
}

import { openSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineHandler, RetryAfter } from '@sluice/consumers';
import { lineOf, type RunEvent } from '../journal-line.js';
import { journalOf } from '../journal-url.js';
import type { Work } from '../work.js';

const journal = openSync(journalOf(import.meta.url), 'a');

/** Does what the task says, and writes down when it starts and when it is through. */
export default defineHandler('default', async (task) => {
  const work = task.data as Work; // the scenarios append nothing else
  const note = (event: RunEvent) => {
    // One write of a short line with O_APPEND: lines of several processes never mix, and none is lost by a kill.
    writeSync(journal, lineOf(work.n, task, event));
  };
  note('start');
  await (task.attempt > (work.until ?? Number.POSITIVE_INFINITY)
    ? pause(work.ms ?? 0)
    : act(work, task.attempt));
  note('end');
});

async function act(work: Work, attempt: number): Promise<void> {
  switch (work.do ?? 'work') {
    case 'work': {
      const ms = attempt > 1 ? (work.againMs ?? work.ms) : work.ms;
      if (ms !== undefined) await pause(ms);
      return;
    }
    case 'throw':
      throw new Error(`attempt ${attempt} fails`);
    case 'throw-null':
      return Promise.reject(null);
    case 'throw-string':
      return Promise.reject('a string');
    case 'throw-circular': {
      const circular: Record<string, unknown> = {};
      circular.self = circular;
      return Promise.reject(circular);
    }
    case 'throw-bigint':
      return Promise.reject(10n);
    case 'retry-after':
      throw new RetryAfter(work.ms ?? 0);
    case 'exit':
      return process.exit(3);
    case 'abort':
      return process.abort();
    case 'kill-process':
      // As native code that crashes does; process.abort is refused in a worker thread, and so is only an error.
      process.kill(process.pid, 'SIGABRT');
      return new Promise(() => {});
    case 'loop':
      for (;;);
    case 'exhaust-heap': {
      const all: unknown[] = [];
      for (;;) all.push(Array.from({ length: 1000 }, () => ({})));
    }
    case 'unhandled-rejection':
      void Promise.reject(new Error('nobody handles this'));
      return pause(60_000);
    case 'never-settle':
      return new Promise(() => {});
  }
}

import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { defineHandler, RetryAfter, Unrecoverable } from '@sluice/consumers';
import { letGoOf, note, outageOf, type Script } from './script.js';

/** Does what the task says. The handler of untyped tasks in the tests. */
export default defineHandler('default', async (task, context) => {
  const script = task.data as Script; // the tests append nothing else to this stream, but poison
  const { journal, ms = 0, until = Number.POSITIVE_INFINITY } = script;
  note('start', task, journal);
  while (script.held === true && attemptsLetGo(journal) < task.attempt) await pause(5);
  const what = task.attempt > until ? 'return' : (script.do ?? 'return');
  switch (what) {
    case 'return':
      if (ms > 0) await pause(task.attempt > 1 ? (script.againMs ?? ms) : ms);
      break;
    case 'throw':
      if (ms > 0) await pause(ms);
      throw new TypeError(`attempt ${task.attempt} failed`);
    case 'throw-unrecoverable':
      if (ms > 0) await pause(ms);
      throw new Unrecoverable('never going to work');
    case 'throw-retry-after':
      throw new RetryAfter(ms);
    case 'call-downstream':
      if (ms > 0) await pause(ms);
      while (existsSync(outageOf(journal))) {
        if (readFileSync(outageOf(journal), 'utf8') === 'down') throw new Error('the service is down');
        await pause(20);
      }
      break;
    case 'throw-odd':
      throw [null, 'text', 10n, circular()][task.attempt % 4];
    case 'throw-null':
      throw null;
    case 'throw-string':
      throw 'text';
    case 'throw-bigint':
      throw 10n;
    case 'throw-circular':
      throw circular();
    case 'wait-for-abort':
      await new Promise((_, reject) => {
        context.signal.addEventListener('abort', () => {
          note('aborted', task, journal, context.signal.reason.name);
          reject(context.signal.reason);
        });
      });
      break;
    case 'never-settle':
      await new Promise(() => {});
      break;
    case 'block':
      for (;;);
    case 'exit':
      if (ms > 0) await pause(ms);
      process.exit(3);
      break;
    case 'kill-process':
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => {});
      break;
    case 'spin':
      for (const end = performance.now() + ms; performance.now() < end; );
      break;
    case 'exhaust-heap': {
      const all: unknown[] = [];
      for (;;) all.push(Array.from({ length: 1000 }, () => ({})));
    }
    case 'reject-unhandled':
      void Promise.reject(new Error('nobody handles this'));
      await pause(10_000);
      break;
  }
  note('end', task, journal);
});

function attemptsLetGo(journal: string): number {
  const file = letGoOf(journal);
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
}

function circular(): object {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  return circular;
}

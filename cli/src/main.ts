import { createInterface } from 'node:readline/promises';
import { sluice } from './sluice.js';

const interrupt = new AbortController();
process.on('SIGINT', () => {
  // The second time, whatever is under way: each step is atomic in Redis.
  if (interrupt.signal.aborted) process.exit(130);
  interrupt.abort();
});
process.on('SIGTERM', () => interrupt.abort());
process.stdout.on('error', () => process.exit(0)); // sluice dlq list | head

let progressShown = false;

/** What is written next stands where the progress was. */
function clearProgress(): void {
  if (progressShown) process.stderr.write('\r\x1b[K');
  progressShown = false;
}

process.exitCode = await sluice(process.argv.slice(2), process.env, {
  print: (text) => {
    clearProgress();
    console.log(text);
  },
  say: (text) => {
    clearProgress();
    console.error(text);
  },
  progress: (text) => {
    if (!process.stderr.isTTY) return;
    process.stderr.write(`\r\x1b[K${text}`);
    progressShown = true;
  },
  interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
  ask: async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await lines.question(question, { signal: interrupt.signal });
    } finally {
      lines.close();
    }
  },
  interrupted: interrupt.signal,
  editor: process.env.VISUAL || process.env.EDITOR,
});

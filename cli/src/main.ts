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

process.exitCode = await sluice(process.argv.slice(2), process.env, {
  print: (text) => console.log(text),
  say: (text) => console.error(text),
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

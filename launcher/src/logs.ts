import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const LOOK_EVERY_MS = 200;
const SHOWN_AT_FIRST_BYTES = 8 * 1024;

/** `make logs`: prints the end of every log and what is added to it, each line with the name of its program, until Ctrl-C. */
export async function followLogs(folder: string, shownAtFirst = SHOWN_AT_FIRST_BYTES): Promise<void> {
  if (!existsSync(folder)) {
    console.error('there are no logs yet: make up starts Sluice');
    return;
  }
  const names = readdirSync(folder).filter((name) => name.endsWith('.log'));
  const position = new Map(
    names.map((name) => [name, Math.max(0, statSync(join(folder, name)).size - shownAtFirst)]),
  );
  const rest = new Map<string, string>();
  for (;;) {
    for (const [name, from] of position) {
      const path = join(folder, name);
      const size = existsSync(path) ? statSync(path).size : 0;
      if (size === from) continue;
      // Smaller than before: it has been rotated, what is there now is new.
      const start = size < from ? 0 : from;
      let text = rest.get(name) ?? '';
      for await (const chunk of createReadStream(path, { encoding: 'utf8', start, end: size - 1 }))
        text += chunk;
      const lines = text.split('\n');
      rest.set(name, lines.pop() ?? '');
      const label = name.slice(0, -'.log'.length).padEnd(9);
      for (const line of lines) console.log(`${label} | ${line}`);
      position.set(name, size);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

import { readFileSync } from 'node:fs';

/**
 * A script of ours, without its comments. Sent with every task rather than by its hash, because a reply that Redis does
 * not know the hash would have to be waited for.
 */
export function scriptOf(file: string): string {
  // From dist/ as from src/: the .lua files are published beside the compiled code, never copied.
  const text = readFileSync(new URL(`../../src/scripts/${file}`, import.meta.url), 'utf8');
  const lines = text.split('\n').filter((line) => !/^ *(--|$)/.test(line));
  return `${lines.join('\n')}\n`;
}

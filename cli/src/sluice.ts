import { readFileSync } from 'node:fs';
import { COMMANDS, type CommandEntry } from './commands.js';
import { EXIT } from './exit-codes.js';
import { overview } from './help.js';
import type { Terminal } from './terminal.js';

const { version: VERSION } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as {
  version: string;
};

/** Does what was typed. Resolves with the exit code; everything that can go wrong is said in one line. */
export async function sluice(
  typed: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  terminal: Terminal,
): Promise<number> {
  if (typed[0] === '--version') {
    terminal.print(VERSION);
    return EXIT.ok;
  }
  const command = commandOf(typed);
  if (command === undefined) return withoutCommand(typed, terminal);
  const { runCommand } = await import('./run-command.js');
  const { words, load } = command;
  return runCommand(words, await load(), typed.slice(words.length), environment, terminal);
}

/** The command whose words were typed first. */
function commandOf(typed: readonly string[]): CommandEntry | undefined {
  return COMMANDS.find(({ words }) => words.every((word, i) => typed[i] === word));
}

function withoutCommand(typed: readonly string[], terminal: Terminal): number {
  const [first] = typed;
  const family = COMMANDS.filter(({ words }) => words.length > 1 && words[0] === first);
  const asked = family.length > 0 ? typed[1] : first;
  if (asked === undefined || asked === '--help' || asked === '-h' || asked === 'help') {
    const text = overview(family.length > 0 ? family : COMMANDS);
    if (asked !== undefined) terminal.print(text);
    else terminal.say(text);
    return asked === undefined ? EXIT.usage : EXIT.ok;
  }
  const allowed = (family.length > 0 ? family : COMMANDS).map(({ words }) => words.join(' '));
  const what = family.length > 0 ? `${first} ${asked}` : asked;
  terminal.say(`sluice: ${JSON.stringify(what)} is no command; allowed: ${allowed.join(', ')}`);
  return EXIT.usage;
}

import { readFileSync } from 'node:fs';
import { SluiceError } from '@sluice/contract';
import { auditCommand } from './audit/audit-command.js';
import type { Command } from './command.js';
import { type CommandLine, readCommandLine } from './command-line.js';
import { listCommand } from './dlq/list-command.js';
import { purgeCommand } from './dlq/purge-command.js';
import { retryCommand } from './dlq/retry-command.js';
import { showCommand } from './dlq/show-command.js';
import { doctorCommand } from './doctor/doctor-command.js';
import { EXIT } from './exit-codes.js';
import { helpOf, overview } from './help.js';
import { createKeyCommand } from './keys/create-command.js';
import { redisOfMakeUp } from './running.js';
import type { Terminal } from './terminal.js';

const COMMANDS: readonly Command[] = [
  auditCommand,
  listCommand,
  showCommand,
  retryCommand,
  purgeCommand,
  doctorCommand,
  createKeyCommand,
];

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
  try {
    const line = readCommandLine(command, typed.slice(command.words.length), environment);
    if (line.help) {
      terminal.print(helpOf(command));
      return EXIT.ok;
    }
    return await start(line, environment, terminal);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    terminal.say(error.message.replace(/^/gm, `sluice ${command.words.join(' ')}: `));
    return error.code === 'REDIS_UNAVAILABLE' ? EXIT.unavailable : EXIT.usage;
  }
}

async function start(
  { command, given, args, fromEnvironment }: CommandLine,
  environment: Readonly<Record<string, string | undefined>>,
  terminal: Terminal,
): Promise<number> {
  if ('redis' in command.flags && given.redis === undefined) {
    given.redis = await redisOfMakeUp(environment.SLUICE_DATA_DIR);
  }
  try {
    return await command.start(given, args, terminal);
  } catch (error) {
    throw withFlagNames(error, fromEnvironment);
  }
}

/** A wrong option is named as it was typed, or as its variable. */
function withFlagNames(error: unknown, fromEnvironment: ReadonlyMap<string, string>): unknown {
  if (!(error instanceof SluiceError) || error.details === undefined) return error;
  const lines = error.details.map(
    ({ path, reason }) => `${fromEnvironment.get(path) ?? `--${path}`} ${reason}`,
  );
  return new SluiceError(error.code, lines.join('\n'), { cause: error });
}

/** The command whose words were typed first. */
function commandOf(typed: readonly string[]): Command | undefined {
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

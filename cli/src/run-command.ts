import { SluiceError } from '@sluice/contract';
import type { Command } from './command.js';
import { type CommandLine, readCommandLine } from './command-line.js';
import { EXIT } from './exit-codes.js';
import { helpOf } from './help.js';
import { redisOfMakeUp } from './running.js';
import type { Terminal } from './terminal.js';

/**
 * Does what a command is asked for. Resolves with the exit code; what is wrong is said in one line.
 *
 * @param words what was typed for the command
 * @param rest what was typed after them
 */
export async function runCommand(
  words: readonly string[],
  command: Command,
  rest: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  terminal: Terminal,
): Promise<number> {
  try {
    const line = readCommandLine(command, rest, environment);
    if (line.help) {
      terminal.print(helpOf(words, command));
      return EXIT.ok;
    }
    return await start(line, environment, terminal);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    terminal.say(error.message.replace(/^/gm, `sluice ${words.join(' ')}: `));
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

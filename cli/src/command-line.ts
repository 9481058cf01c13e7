import { parseArgs } from 'node:util';
import { type Command, type FlagSchema, usageError } from './command.js';

/** What was typed, taken apart; the values are not checked yet. */
export interface CommandLine {
  command: Command;
  /** By flag. */
  given: Record<string, unknown>;
  /** Flags whose value comes from the environment, with the variable. */
  fromEnvironment: ReadonlyMap<string, string>;
  args: readonly string[];
  help: boolean;
}

/**
 * Finds the command and takes its flags apart. What is not given is taken from the environment.
 *
 * @throws SluiceError `INVALID_OPTIONS` for a command, flag or argument that does not exist, in one line that says
 * what is allowed
 */
export function readCommandLine(
  command: Command,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CommandLine {
  const { tokens } = parseArgs({
    args: [...args],
    options: { ...parserOptions(command.flags), help: { type: 'boolean', short: 'h' } },
    // Wrong flags are ours to complain about: the parser's own message does not say what is allowed.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given: Record<string, unknown> = {};
  const rest: string[] = [];
  let help = false;
  for (const token of tokens) {
    if (token.kind === 'positional') rest.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name === 'help') help = true;
    else take(command, token, given);
  }
  const { most } = command.arguments ?? { most: 0 };
  if (rest.length > most && !help) throw usageError(tooMany(command, rest, most));
  return { command, given, fromEnvironment: fillIn(command, given, environment), args: rest, help };
}

interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

function take(
  { flags }: Command,
  { name, rawName, value, inlineValue }: OptionToken,
  given: Record<string, unknown>,
): void {
  const schema = flags[name];
  if (schema === undefined) {
    throw usageError(`${rawName} is no option; allowed: ${flagNames(flags).join(', ')}`);
  }
  const kind = kindOf(schema);
  if (kind === 'switch') {
    if (value !== undefined) throw usageError(`${rawName} takes no value`);
    given[name] = true;
    return;
  }
  if (value === undefined) throw usageError(`${rawName} needs a value: ${rawName} <${schema.value}>`);
  if (value.startsWith('-') && inlineValue !== true) {
    throw usageError(`${rawName} needs a value; one that starts with a dash: ${rawName}=${value}`);
  }
  if (kind === 'list') given[name] = [...((given[name] as string[] | undefined) ?? []), value];
  else if (name in given) throw usageError(`${rawName} is given twice`);
  else given[name] = kind === 'number' ? toNumber(value) : value;
}

function fillIn(
  { flags }: Command,
  given: Record<string, unknown>,
  environment: Readonly<Record<string, string | undefined>>,
): Map<string, string> {
  const from = new Map<string, string>();
  for (const [name, { env }] of Object.entries(flags)) {
    const text = env === undefined ? undefined : environment[env];
    if (env === undefined || text === undefined || text === '' || name in given) continue;
    given[name] = text;
    from.set(name, env);
  }
  return from;
}

function parserOptions(flags: Command['flags']): Record<string, { type: 'boolean' | 'string' }> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, schema]) => [
      name,
      { type: kindOf(schema) === 'switch' ? 'boolean' : 'string' },
    ]),
  );
}

function kindOf({ type }: FlagSchema): 'switch' | 'number' | 'list' | 'text' {
  switch (type) {
    case 'boolean':
      return 'switch';
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return 'list';
    default:
      return 'text';
  }
}

/** What is no number stays as it is, so that the check of the options can show it. */
function toNumber(text: string): unknown {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isNaN(number) ? text : number;
}

function flagNames(flags: Command['flags']): string[] {
  return [...Object.keys(flags), 'help'].map((name) => `--${name}`);
}

function tooMany({ arguments: takes }: Command, rest: readonly string[], most: number): string {
  if (takes === undefined) return `no argument is taken; given: ${rest.join(' ')}`;
  return `${most === 1 ? 'one' : `at most ${most}`} ${takes.name} at a time; given: ${rest.join(' ')}`;
}

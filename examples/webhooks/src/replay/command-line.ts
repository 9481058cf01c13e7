import { parseArgs } from 'node:util';
import { SluiceError } from '@sluice/contract';
import type { TSchema } from 'typebox';
import { type ReplayOptions, replayOptions } from './options.js';
import type { Tolerance } from './report.js';

export interface Command {
  options: Partial<Record<keyof ReplayOptions, unknown>>;
  tolerate: Tolerance;
  json: boolean;
  help: boolean;
}

/** A property of the options as it is at run time: TypeBox types its keywords only in part. */
type OptionSchema = TSchema & { type?: string; description?: string; default?: unknown };

const schemas = Object.entries(replayOptions.properties as Record<string, OptionSchema>).map(
  // a key of the schema's properties is the name of an option
  ([option, schema]) => ({ option: option as keyof ReplayOptions, flag: kebab(option), ...schema }),
);

const switches = {
  'allow-dead': 'Exit 0 although tasks ended in the dead-letter stream.',
  'allow-refused': 'Exit 0 although tasks were refused for good.',
  json: 'Print the report as JSON.',
  help: 'Print this.',
};

/**
 * The command line as options that are still to be checked: `[folder] [--times n] [--no-type-by-event] …`
 *
 * @throws SluiceError `INVALID_OPTIONS` for flags and arguments that do not exist
 */
export function readCommandLine(args: readonly string[]): Command {
  const { positionals, values } = parse(args);
  if (positionals.length > 1) {
    throw new SluiceError('INVALID_OPTIONS', `one folder at a time; given: ${positionals.join(', ')}`);
  }
  const options: Command['options'] = {};
  for (const { flag, option, type } of schemas) {
    const value = values[flag];
    if (type === 'boolean') {
      if (value !== undefined) options[option] = value;
      if (values[`no-${flag}`] === true) options[option] = false;
    } else if (value !== undefined) {
      options[option] = type === 'string' ? value : toNumber(value);
    }
  }
  if (positionals[0] !== undefined) options.folder = positionals[0];
  return {
    options,
    tolerate: { dead: values['allow-dead'] === true, refused: values['allow-refused'] === true },
    json: values.json === true,
    help: values.help === true,
  };
}

/** What `--help` prints. */
export function usage(): string {
  const rows = schemas.map(({ flag, type, description, default: fallback }): [string, string] =>
    type === 'boolean'
      ? [`--[no-]${flag}`, `${description} Default: ${fallback}`]
      : [`--${flag} <${type === 'string' ? 'text' : 'n'}>`, `${description} Default: ${fallback}`],
  );
  const flags = Object.entries(switches).map(([flag, description]): [string, string] => [
    `--${flag}`,
    description,
  ]);
  return [
    'replay [folder] [options]   sends each .json file of a folder as a task and accounts for every 202',
    '',
    ...[...rows, ...flags].map(([flag, description]) => `  ${flag.padEnd(32)} ${description}`),
  ].join('\n');
}

function parse(args: readonly string[]) {
  const options: Record<string, { type: 'boolean' | 'string' }> = {};
  for (const { flag, type } of schemas) {
    options[flag] = { type: type === 'boolean' ? 'boolean' : 'string' };
    if (type === 'boolean') options[`no-${flag}`] = { type: 'boolean' };
  }
  for (const flag of Object.keys(switches)) options[flag] = { type: 'boolean' };
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    throw new SluiceError('INVALID_OPTIONS', cause instanceof Error ? cause.message : String(cause), {
      cause,
    });
  }
}

/** What is no number stays as it is, so that the check of the options can show it. */
function toNumber(text: string | boolean | undefined): unknown {
  const number = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
  return Number.isNaN(number) ? text : number;
}

function kebab(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

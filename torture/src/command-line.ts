import { parseArgs } from 'node:util';
import { SluiceError } from '@sluice/contract';
import type { Scenario } from './scenario.js';

/** A scenario to run, and how. */
export interface Wanted {
  readonly scenario: Scenario;
  readonly broken: string | undefined;
}

export type Command = { help: true } | { help: false; full: boolean; wanted: readonly Wanted[] };

/**
 * Reads the command line.
 *
 * @throws SluiceError `INVALID_OPTIONS`
 */
export function readCommandLine(args: readonly string[], known: readonly Scenario[]): Command {
  const { values, positionals } = parse(args);
  if (values.help === true) return { help: true };
  for (const name of positionals) {
    if (!known.some((scenario) => scenario.name === name)) {
      const names = known.map((scenario) => scenario.name).join(', ');
      throw invalid(`${name} is no scenario; allowed: ${names}`);
    }
  }
  const chosen = known.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const wanted = chosen.flatMap((scenario) => runsOf(scenario, values));
  if (wanted.length === 0) {
    const controls = new Set(chosen.flatMap((scenario) => Object.keys(scenario.controls)));
    throw invalid(`--broken is ${values.broken}; allowed here: ${[...controls].join(', ')}`);
  }
  return { help: false, full: values.full === true, wanted };
}

/** The text of `--help`. */
export function helpText(known: readonly Scenario[]): string {
  return [
    'npm run torture -- [scenario…] [--full] [--broken <switch> | --controls]',
    '',
    '  --full              the numbers of the specification: minutes; else small ones: seconds',
    '  --broken <switch>   breaks a promise on purpose, where a scenario has that switch: it must be caught',
    '  --controls          every switch of every scenario in turn',
    '',
    'Scenarios (all of them, if none is named) and their switches:',
    ...known.flatMap(({ name, promise, controls }) => [
      `  ${name}: ${promise}`,
      ...Object.entries(controls).map(([control, what]) => `    --broken ${control}: ${what}`),
    ]),
    '',
    'Prints a table for each, and writes torture/results/torture-<time>.json. Ends with 1 when a bar is missed, or when',
    'a broken promise is not caught.',
  ].join('\n');
}

function runsOf(scenario: Scenario, values: { broken?: string; controls?: boolean }): Wanted[] {
  const controls = Object.keys(scenario.controls);
  if (values.controls === true) return controls.map((broken) => ({ scenario, broken }));
  if (values.broken === undefined) return [{ scenario, broken: undefined }];
  return controls.includes(values.broken) ? [{ scenario, broken: values.broken }] : [];
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        full: { type: 'boolean' },
        broken: { type: 'string' },
        controls: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

function invalid(reason: string): SluiceError {
  return new SluiceError('INVALID_OPTIONS', `${reason}; see npm run torture -- --help`);
}

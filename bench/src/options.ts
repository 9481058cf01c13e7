import { parseArgs } from 'node:util';
import { describeOptions, readEnvironment, SluiceError } from '@sluice/contract';
import { type Static, Type } from 'typebox';

const LIST_OF_COUNTS = '^[1-9]\\d{0,3}(,[1-9]\\d{0,3})*$';
const LIST_OF_LOADS = '^(0?\\.\\d+|1(\\.\\d+)?)(,(0?\\.\\d+|1(\\.\\d+)?))*$';

/**
 * Every option of the bench. What an option of a service has as environment variable is a flag here; reading,
 * checking and describing are the same.
 */
const flags = Type.Object({
  rounds: Type.Integer({
    env: '--rounds',
    minimum: 1,
    maximum: 100,
    default: 5,
    description: 'Rounds; in each, every server has its turn.',
  }),
  seconds: Type.Integer({
    env: '--seconds',
    minimum: 1,
    maximum: 3600,
    default: 5,
    description: 'Measured seconds of a turn.',
  }),
  warmUpSeconds: Type.Integer({
    env: '--warm-up',
    minimum: 1,
    maximum: 60,
    default: 2,
    description: 'Seconds of the same load before that, checked but not measured.',
  }),
  connections: Type.String({
    env: '--connections',
    pattern: LIST_OF_COUNTS,
    allowed: 'whole numbers from 1 to 9999 with commas between',
    default: '64,8',
    description: 'Connections of the closed loop; at a constant rate the first of them.',
  }),
  loads: Type.String({
    env: '--loads',
    pattern: LIST_OF_LOADS,
    allowed: 'numbers above 0 and below 2 with commas between',
    default: '0.5',
    description: 'Constant rates, as parts of the saturation rate.',
  }),
  rate: Type.Integer({
    env: '--rate',
    minimum: 0,
    maximum: 1_000_000,
    default: 0,
    description: 'Constant rate in tasks/s instead; 0: go by --loads.',
  }),
  persistent: Type.Boolean({
    env: '--persistent',
    default: false,
    description: 'Redis writes its append-only file, fsync every second; else it keeps nothing.',
  }),
  processes: Type.Integer({
    env: '--processes',
    minimum: 1,
    maximum: 256,
    default: 1,
    description: 'Engine processes (WORKER_PROCESSES). The bare server always has one.',
  }),
  calm: Type.Boolean({
    env: '--calm',
    default: false,
    description:
      'Waits before each turn until other programs are quiet (5 min at most); takes disturbed turns again.',
  }),
  awake: Type.Boolean({
    env: '--awake',
    default: false,
    description:
      'Keeps cores from sleeping meanwhile: virtual machines are woken late, which is not what is asked for.',
  }),
  generator: Type.Union([Type.Literal('auto'), Type.Literal('wrk'), Type.Literal('autocannon')], {
    env: '--generator',
    default: 'auto',
    description: 'Of the closed loop; auto: wrk where it is installed, else autocannon.',
  }),
});

type Flags = Static<typeof flags>;

/** Options of a run, lists as lists. */
export interface BenchOptions extends Omit<Flags, 'connections' | 'loads'> {
  connections: readonly number[];
  loads: readonly number[];
}

/** What the command line asks for. */
export type Command = { help: true } | GivenCommand;

interface GivenCommand {
  help: false;
  options: BenchOptions;
  /** The options that were on the command line. */
  given: Partial<BenchOptions>;
  scenarios: readonly string[];
}

/**
 * Reads the command line. Without a name all scenarios are run; the part of a name before a dash stands for all that
 * begin with it.
 *
 * @throws SluiceError `INVALID_OPTIONS`, one line per fault
 */
export function readCommandLine(args: readonly string[], known: readonly string[]): Command {
  const { values, positionals } = parse(args);
  if (values.help === true) return { help: true };
  const isMeant = (name: string, scenario: string): boolean =>
    scenario === name || scenario.startsWith(`${name}-`);
  for (const name of positionals) {
    if (!known.some((scenario) => isMeant(name, scenario))) {
      const reason = `${name} is no scenario; allowed: ${known.join(', ')}`;
      throw new SluiceError('INVALID_OPTIONS', reason);
    }
  }
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) texts[`--${name}`] = String(value);
  const { connections, loads, ...rest } = readEnvironment(flags, texts);
  const options: BenchOptions = {
    ...rest,
    connections: connections.split(',').map(Number),
    loads: loads.split(',').map(Number),
  };
  const flagOf = new Map(describeOptions(flags).map(({ option, env = '' }) => [option, env]));
  const isGiven = ([option]: [string, unknown]): boolean => (flagOf.get(option) ?? '') in texts;
  return {
    help: false,
    options,
    given: Object.fromEntries(Object.entries(options).filter(isGiven)),
    scenarios: known.filter(
      (scenario) => positionals.length === 0 || positionals.some((name) => isMeant(name, scenario)),
    ),
  };
}

/** The text of `--help`. */
export function helpText(scenarios: readonly { name: string; question: string }[]): string {
  const rows = describeOptions(flags);
  const option = (name: string, text: string): string => `  ${name.padEnd(22)}${text}`;
  return [
    'npm run bench -- [scenario…] [option…]',
    '',
    'Scenarios (all of them, if none is named; `consumers` stands for all that begin with it):',
    ...scenarios.map(({ name, question }) => option(name, question)),
    '',
    'Options:',
    ...rows.map(({ env = '', allowed, fallback, description }) =>
      option(
        env,
        `${description} ${fallback === 'false' ? '' : `[${allowed}; default ${fallback}]`}`.trimEnd(),
      ),
    ),
    '',
    'Those but saturation and constant-rate are shorter unless --rounds, --seconds or --warm-up say otherwise.',
    'Prints tables, and writes bench/results/<time>.json. Ends with 1 when a figure cannot be trusted: an answer',
    'other than 202, a 202 without its entry in the stream, a task that was lost or settled without having been run.',
    'A bar that is missed is stated, and is no failure.',
  ].join('\n');
}

function parse(args: readonly string[]): ReturnType<typeof parseArgs> {
  const names = describeOptions(flags).map(({ env = '', allowed }) => ({
    name: env.replace(/^--/, ''),
    type: allowed === 'true, false' ? ('boolean' as const) : ('string' as const),
  }));
  const options = Object.fromEntries(names.map(({ name, type }) => [name, { type }]));
  try {
    return parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SluiceError('INVALID_OPTIONS', `${reason}; see npm run bench -- --help`);
  }
}

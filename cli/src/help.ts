import type { Command, FlagSchema } from './command.js';
import type { CommandEntry } from './commands.js';

const WIDTH = 100;

/** What `sluice --help` prints. */
export function overview(commands: readonly CommandEntry[]): string {
  return [
    'sluice <command> [options]',
    '',
    'Looks after a Sluice queue: proves that no task was lost, works on dead letters, finds what is set up wrong.',
    '',
    ...columns(commands.map(({ words, summary }) => [words.join(' '), summary])),
    '',
    'sluice <command> --help says more. Which queue: --redis and --stream, or REDIS_URL and REDIS_STREAM_NAME;',
    'in a checkout where make up runs, that one.',
  ].join('\n');
}

/** What `sluice <command> --help` prints. */
export function helpOf(words: readonly string[], command: Command): string {
  const { usage, about, flags, arguments: takes, examples, exitCodes } = command;
  const name = `sluice ${words.join(' ')}`;
  const rows: [string, string][] = Object.entries(flags).map(([flag, schema]) => [
    schema.value === undefined ? `--${flag}` : `--${flag} <${schema.value}>`,
    describe(schema),
  ]);
  if (takes !== undefined) rows.unshift([`<${takes.name}>`, takes.description]);
  return [
    ...usage.map((line) => `${name} ${line}`.trimEnd()),
    '',
    ...about.flatMap((paragraph) => [...wrap(paragraph, WIDTH), '']),
    'Options',
    ...columns(rows),
    '',
    'Examples',
    ...columns(examples),
    '',
    'Exit codes',
    ...columns(exitCodes.map(([code, meaning]) => [String(code), meaning])),
  ].join('\n');
}

function describe({ description, default: fallback, env, type }: FlagSchema): string {
  const notes: string[] = [];
  if (fallback !== undefined && type !== 'boolean') notes.push(`default ${fallback}`);
  if (env !== undefined) notes.push(`$${env}`);
  if (type === 'array') notes.push('may be given several times');
  return notes.length === 0 ? description : `${description} (${notes.join(', ')})`;
}

/** Two columns; what does not fit in the first one has a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)));
  return rows.flatMap(([left, right]) => {
    const [first = '', ...others] = wrap(right, WIDTH - width - 4);
    const indent = ' '.repeat(width + 4);
    const lines = others.map((line) => indent + line);
    return left.length > width
      ? [`  ${left}`, indent + first, ...lines]
      : [`  ${left.padEnd(width)}  ${first}`, ...lines];
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

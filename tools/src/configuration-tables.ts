import { describeOptions, type OptionRow } from '@sluice/contract';
import type { TObject } from 'typebox';

/** The options of one package, and the heading they have in the README. */
export interface OptionsOfPackage {
  heading: string;
  /** Options of the library call, which the program reads from the environment too. */
  library: readonly TObject[];
  /** Options of the program only, which no library call takes. */
  program: readonly TObject[];
}

/**
 * The configuration tables of the README in Markdown: first the options that all packages share, then those of
 * each package.
 *
 * @throws Error when a schema has no option: an empty table would look like one that is up to date.
 */
export function configurationTables(packages: readonly OptionsOfPackage[]): string {
  const sections = packages.map(({ heading, library, program }) => {
    const rows = [
      ...library.flatMap(describeOptions),
      ...program.flatMap(describeOptions).map((row) => ({ ...row, option: '' })),
    ];
    if (rows.length === 0) throw new Error(`${heading} has no options`);
    return { heading, lines: rows.map(tableLine) };
  });
  const [first, ...others] = sections;
  const shared = first?.lines.filter((line) => others.every(({ lines }) => lines.includes(line))) ?? [];
  const tables = sections.map(({ heading, lines }) => ({
    heading,
    lines: lines.filter((line) => !shared.includes(line)),
  }));
  if (others.length > 0) {
    tables.unshift({ heading: packages.map(({ heading }) => heading).join(' and '), lines: shared });
  }
  return tables
    .filter(({ lines }) => lines.length > 0)
    .map(({ heading, lines }) => `### ${heading}\n\n${TABLE_HEAD}\n${lines.join('\n')}\n`)
    .join('\n');
}

/** The text between the markers of a section, replaced. */
export function replaceSection(document: string, section: string, content: string): string {
  const [start, end] = [`<!-- ${section}: written by npm run docs -->`, `<!-- /${section} -->`];
  const from = document.indexOf(start);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`the document has no section between ${start} and ${end}`);
  return `${document.slice(0, from + start.length)}\n\n${content}\n${document.slice(to)}`;
}

const TABLE_HEAD = '| Variable | Option | Default | Allowed | Meaning |\n|---|---|---|---|---|';

function tableLine({ env, option, fallback, allowed, description }: OptionRow): string {
  const cells = [code(env ?? ''), code(option), code(fallback), escaped(allowed), escaped(description)];
  return `| ${cells.join(' | ')} |`;
}

function code(text: string): string {
  return text === '' ? '' : `\`${escaped(text)}\``;
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TObject } from 'typebox';
import type { CheckResult } from './check.js';
import { configurationTables, type OptionsOfPackage, replaceSection } from './configuration-tables.js';

const PACKAGES = [
  { heading: 'Engine', directory: 'engine' },
  { heading: 'Consumers', directory: 'consumers' },
] as const;

/** The README with its generated parts written anew from the option schemas of the built packages. */
export async function generatedReadme(root: string): Promise<string> {
  const packages = await Promise.all(PACKAGES.map((one) => optionsOf(root, one)));
  return replaceSection(readReadme(root), 'configuration', configurationTables(packages));
}

/** The schemas that the `options.ts` of a package exports; those called `…ProgramOptions` are of its program only. */
async function optionsOf(
  root: string,
  { heading, directory }: (typeof PACKAGES)[number],
): Promise<OptionsOfPackage> {
  // By path and not by door: option schemas are read here as files, they are no promise of the packages.
  const exported = await import(pathToFileURL(join(root, directory, 'dist', 'options.js')).href);
  const schemas = Object.entries<unknown>(exported).filter(isObjectSchema);
  const isProgram = ([name]: [string, TObject]) => name.endsWith('ProgramOptions');
  return {
    heading,
    library: schemas.filter((entry) => !isProgram(entry)).map(([, schema]) => schema),
    program: schemas.filter(isProgram).map(([, schema]) => schema),
  };
}

function isObjectSchema(entry: [string, unknown]): entry is [string, TObject] {
  const [, value] = entry;
  return typeof value === 'object' && value !== null && 'type' in value && 'properties' in value;
}

/** Whether the README in the repository is the generated one. */
export async function checkReadme(root: string): Promise<CheckResult> {
  const stale = (await generatedReadme(root)) !== readReadme(root);
  return {
    summary: 'the configuration tables of README.md are those of the option schemas',
    faults: stale ? ['README.md does not say what the option schemas say: run npm run docs'] : [],
  };
}

function readReadme(root: string): string {
  return readFileSync(join(root, 'README.md'), 'utf8');
}

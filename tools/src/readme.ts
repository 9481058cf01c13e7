import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TObject } from 'typebox';
import type { CheckResult } from './check.js';
import { configurationTables, replaceSection } from './configuration-tables.js';

const OPTION_SCHEMAS = [
  { heading: 'Engine', directory: 'engine', schemaName: 'engineOptions' },
  { heading: 'Consumers', directory: 'consumers', schemaName: 'consumerOptions' },
] as const;

/** The README with its generated parts written anew from the option schemas of the built packages. */
export async function generatedReadme(root: string): Promise<string> {
  const packages = await Promise.all(
    OPTION_SCHEMAS.map(async ({ heading, directory, schemaName }) => {
      // By path and not by door: option schemas are read here as files, they are no promise of the packages.
      const file = join(root, directory, 'dist', 'options.js');
      const schema: TObject | undefined = (await import(pathToFileURL(file).href))[schemaName];
      if (schema === undefined) throw new Error(`${directory}/src/options.ts exports no ${schemaName}`);
      return { heading, schema };
    }),
  );
  return replaceSection(readReadme(root), 'configuration', configurationTables(packages));
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

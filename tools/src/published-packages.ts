import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import type { CheckResult } from './check.js';

/** Whether each package that is published would arrive whole: its doors lead to files that are packed with it. */
export async function checkPublishedPackages(root: string): Promise<CheckResult> {
  const directories: string[] = readManifest(root).workspaces;
  const published = directories.filter((directory) => readManifest(join(root, directory)).private !== true);
  const faults = await Promise.all(
    published.map(async (directory) => {
      const { messages, pkg } = await publint({ pkgDir: join(root, directory), strict: true });
      return messages.map((message) => `${directory}: ${formatMessage(message, pkg, { color: false })}`);
    }),
  );
  if (published.length === 0) faults.push(['no workspace is published: was one made private?']);
  return { summary: `${published.join(', ')} arrive whole when installed`, faults: faults.flat() };
}

function readManifest(directory: string) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}

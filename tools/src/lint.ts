// npm run lint, after tsc -b: every check runs, each prints a line, and any fault fails all.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckResult } from './check.js';
import { checkLayers } from './layers.js';
import { checkLockFile, readLockFile } from './lock-file.js';
import { checkMetricsPage } from './metrics-page.js';
import { checkPublishedPackages } from './published-packages.js';
import { checkReadme } from './readme.js';
import { ROOT } from './root.js';
import { readSourceTree } from './source-tree.js';
import { checkUwsBinaries, readInstalledUws, UWS_DIRECTORY, UWS_LIST } from './uws-binaries.js';

const checks: Readonly<Record<string, () => CheckResult | Promise<CheckResult>>> = {
  biome: () => command('biome', ['ci', `--colors=${process.stdout.isTTY ? 'force' : 'off'}`, '.']),
  layers: () => {
    const { files, imports, faults } = checkLayers(readSourceTree(ROOT));
    return { summary: `${imports} imports in ${files} files keep to the layers`, faults };
  },
  readme: () => checkReadme(ROOT),
  'metrics page': () => checkMetricsPage(ROOT),
  'uws binaries': () =>
    checkUwsBinaries(readInstalledUws(join(ROOT, UWS_DIRECTORY)), readFileSync(join(ROOT, UWS_LIST), 'utf8')),
  'lock file': () => checkLockFile(readLockFile(ROOT)),
  'published packages': () => checkPublishedPackages(ROOT),
  // Its hints say which pattern of knip.json matched nothing: a knip that read nothing fails by them.
  knip: () => command('knip', ['--treat-config-hints-as-errors']),
};

for (const [name, check] of Object.entries(checks)) {
  const { summary, faults } = await resultOf(check);
  console.log(faults.length === 0 ? `ok    ${name}: ${summary}` : `FAIL  ${name}: ${faults.length} faults`);
  for (const fault of faults) console.log(`      ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}

async function resultOf(check: () => CheckResult | Promise<CheckResult>): Promise<CheckResult> {
  try {
    return await check();
  } catch (error) {
    return { summary: '', faults: [`could not run: ${error instanceof Error ? error.message : error}`] };
  }
}

/** Runs a command of node_modules/.bin in the root; its own output shows its faults. */
function command(name: string, args: readonly string[]): CheckResult {
  const { status, error } = spawnSync(join(ROOT, 'node_modules', '.bin', name), args, {
    cwd: ROOT,
    stdio: 'inherit',
  });
  const faults = status === 0 ? [] : [error?.message ?? `${name} ended with ${status}: see above`];
  return { summary: `${name} ${args.join(' ')}`, faults };
}

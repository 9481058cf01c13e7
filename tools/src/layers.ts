import { posix } from 'node:path';
import { findCycles } from './cycles.js';
import { LAYER_RULES, READS_ENVIRONMENT, RULES, TESTS_MAY_ALSO } from './layer-rules.js';
import { type ImportFound, readSource } from './source-facts.js';
import type { Package, SourceTree } from './source-tree.js';

/** What the layer check saw. */
export interface LayerReport {
  files: number;
  imports: number;
  /** One line per broken rule: where, what, and why the rule is there. Empty when all is well. */
  faults: readonly string[];
}

/** Checks every import of every source against the layer rules. */
export function checkLayers({ packages, files }: SourceTree): LayerReport {
  const faults: string[] = [];
  const relativeImports = new Map<string, string[]>();
  let imports = 0;

  for (const { directory } of packages) {
    if (!(directory in LAYER_RULES)) faults.push(`${directory}: ${RULES.unknownLayer}`);
  }
  for (const [path, text] of files) {
    const home = homeOf(path, packages);
    const facts = readSource(path, text);
    imports += facts.imports.length;
    for (const found of facts.imports) {
      const fault = found.specifier.startsWith('.')
        ? faultOfRelative(path, found, home)
        : faultOfPackage(path, found, home, packages);
      if (fault !== undefined) faults.push(`${path}:${found.line}: imports ${found.specifier}: ${fault}`);
    }
    if (facts.environmentReads.length > 0 && !mayReadEnvironment(path, home)) {
      for (const line of facts.environmentReads) {
        faults.push(`${path}:${line}: reads process.env: ${RULES.environment}`);
      }
    }
    relativeImports.set(path, targetsOf(path, facts.imports));
  }
  for (const cycle of findCycles(relativeImports)) {
    faults.push(`${cycle.join(' -> ')}: ${RULES.circular}`);
  }
  // A check that has read nothing has proved nothing.
  if (files.size === 0) faults.push('no source file found: the layer check looked in the wrong place');
  else if (imports === 0) faults.push('no import found in any file: the layer check cannot read the sources');
  return { files: files.size, imports, faults };
}

function faultOfRelative(path: string, found: ImportFound, home: Package): string | undefined {
  const target = posix.join(posix.dirname(path), found.specifier);
  return target.startsWith(`${home.directory}/`) ? undefined : RULES.acrossPackages;
}

function faultOfPackage(
  path: string,
  { specifier }: ImportFound,
  home: Package,
  packages: readonly Package[],
): string | undefined {
  const target = packages.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`));
  if (target === undefined) return undefined;
  if (target === home) return isTest(path) ? faultOfDoor(specifier, target) : RULES.ownDoor;
  const rule = LAYER_RULES[home.directory];
  if (rule === undefined) return undefined; // reported once for the package
  const may = isTest(path) ? [...rule.may, ...TESTS_MAY_ALSO, ...(rule.testsMay ?? [])] : rule.may;
  if (!may.includes(target.directory)) {
    const list = rule.may.length === 0 ? 'nothing of ours' : `only ${rule.may.join(', ')}`;
    return `${home.directory} may import ${list}: ${rule.because}`;
  }
  return faultOfDoor(specifier, target);
}

function faultOfDoor(specifier: string, target: Package): string | undefined {
  return specifier === target.name || target.doors.includes(specifier) ? undefined : RULES.deepImport;
}

function mayReadEnvironment(path: string, home: Package): boolean {
  return posix.basename(path) === 'main.ts' || isTest(path) || home.directory in READS_ENVIRONMENT;
}

/** Unit tests beside their file, and whatever lives in a `test/`: that of a package, or the one of the whole. */
function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || /(^|\/)test\//.test(path);
}

/** The workspace a file belongs to: the one with the longest path, so that workspaces may be nested. */
function homeOf(path: string, packages: readonly Package[]): Package {
  const homes = packages.filter(({ directory }) => path.startsWith(`${directory}/`));
  const home = homes.sort((a, b) => b.directory.length - a.directory.length)[0];
  if (home === undefined) throw new Error(`${path} is in no workspace`);
  return home;
}

/** The sources that the relative imports of a file lead to: `./batcher.js` is written in `batcher.ts`. */
function targetsOf(path: string, imports: readonly ImportFound[]): string[] {
  return imports
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier }) => posix.join(posix.dirname(path), specifier.replace(/\.([mc]?)js$/, '.$1ts')));
}

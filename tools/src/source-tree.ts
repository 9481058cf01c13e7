import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One workspace of the repository. */
export interface Package {
  /** Its name in package.json, for instance `@sluice/engine`. */
  name: string;
  /** Where it is, from the root, with forward slashes: `engine`, `examples/webhooks`. */
  directory: string;
  /** What others may import of it: its name, and `name/subpath` for each further entry of `exports`. */
  doors: readonly string[];
}

/** The sources of all workspaces: path from the root, and text. */
export interface SourceTree {
  packages: readonly Package[];
  files: ReadonlyMap<string, string>;
}

interface Manifest {
  name: string;
  workspaces?: readonly string[];
  exports?: Record<string, unknown>;
}

/** Reads every `.ts` source (no output, no dependency) of every workspace named in the root package.json. */
export function readSourceTree(root: string): SourceTree {
  const packages = (readManifest(root).workspaces ?? []).map((directory) => {
    const { name, exports = {} } = readManifest(join(root, directory));
    return { name, directory, doors: Object.keys(exports).map((door) => `${name}${door.slice(1)}`) };
  });
  const files = new Map<string, string>();
  for (const { directory } of packages) {
    for (const path of sourcesUnder(root, directory)) files.set(path, readFileSync(join(root, path), 'utf8'));
  }
  return { packages, files };
}

function readManifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}

function sourcesUnder(root: string, directory: string): string[] {
  return readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) {
      return ['dist', 'node_modules'].includes(entry.name) ? [] : sourcesUnder(root, path);
    }
    return /\.[mc]?ts$/.test(entry.name) ? [path] : [];
  });
}

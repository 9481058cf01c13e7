import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * The compiled file of every `*.test.ts` in the workspaces whose path contains one of `texts` (or of every one, if
 * no text is given); both as seen from the root.
 *
 * Sources are listed, not output: a deleted test whose output is still there does not run, and one that no
 * tsconfig compiles does not go unnoticed.
 *
 * @throws Error when no test matches, or one that does has not been compiled.
 */
export function compiledTestFiles(root: string, texts: readonly string[] = []): string[] {
  const { workspaces } = readJson(join(root, 'package.json')) as { workspaces: readonly string[] };
  const sources = workspaces.flatMap((workspace) => testSourcesUnder(join(root, workspace)));
  const wanted = sources.filter((source) => {
    const path = relative(root, source);
    return texts.length === 0 || texts.some((text) => path.includes(text));
  });
  if (wanted.length === 0) {
    throw new Error(
      `no test matches ${texts.join(' or ') || '*.test.ts'} among ${sources.length} test files`,
    );
  }
  return wanted.map((source) => relative(root, compiledFile(source)));
}

function testSourcesUnder(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      return ['dist', 'node_modules'].includes(entry.name) ? [] : testSourcesUnder(path);
    }
    return entry.name.endsWith('.test.ts') ? [path] : [];
  });
}

/** Where the tsconfig.json nearest to a source puts its output. */
function compiledFile(source: string): string {
  let project = dirname(source);
  while (!existsSync(join(project, 'tsconfig.json'))) {
    if (dirname(project) === project) throw new Error(`no tsconfig.json above ${source}`);
    project = dirname(project);
  }
  const { compilerOptions } = readJson(join(project, 'tsconfig.json')) as {
    compilerOptions?: { rootDir?: string; outDir?: string };
  };
  if (compilerOptions?.rootDir === undefined || compilerOptions.outDir === undefined) {
    throw new Error(`${source} is in no project that has rootDir and outDir: nothing compiles it`);
  }
  const inside = relative(join(project, compilerOptions.rootDir), source);
  const compiled = join(project, compilerOptions.outDir, inside.replace(/\.ts$/, '.js'));
  if (!existsSync(compiled))
    throw new Error(`${source} is not compiled: is its project in the root tsconfig.json?`);
  return compiled;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

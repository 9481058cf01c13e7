import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SluiceError } from '@sluice/contract';

/** How a private Redis is started: by a program of this machine, or in a container. */
export interface RedisCommand {
  readonly kind: 'program' | 'docker';
  /** The Redis server, or the docker client. */
  readonly program: string;
  readonly version: string;
}

export interface RedisSearch {
  /** Folder for what the search installs or logs. */
  dataDir: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** One line about what takes long. */
  onProgress?: (line: string) => void;
}

const PROGRAMS = ['redis-server', 'valkey-server'];
/** The oldest Redis whose stream commands we rely on (lag in XINFO GROUPS, entries-added). */
const FLOOR = [7, 0] as const;

/**
 * Finds a Redis server to run, or installs one: `REDIS_SERVER_BIN`, then `redis-server` or `valkey-server` on
 * the PATH, then the package manager of the platform, then Docker.
 *
 * @throws SluiceError `REDIS_UNAVAILABLE`, one line that says what was tried and what to do
 */
export async function findRedis(search: RedisSearch): Promise<RedisCommand> {
  const { environment, dataDir } = search;
  const given = environment.REDIS_SERVER_BIN;
  if (given !== undefined && given !== '') {
    const version = versionOf(given);
    if (version === undefined) {
      throw new SluiceError(
        'REDIS_UNAVAILABLE',
        `REDIS_SERVER_BIN is ${given}: it does not run as a Redis server`,
      );
    }
    return acceptable(given, version);
  }
  const found = onPath(environment.PATH ?? '', join(dataDir, 'bin'));
  if (found !== undefined) return found;
  const installed = await install(search);
  if (installed !== undefined) return installed;
  const contained = inDocker(environment.PATH ?? '');
  if (contained !== undefined) return contained;
  throw new SluiceError(
    'REDIS_UNAVAILABLE',
    'no Redis to be had: none on the PATH, no package manager here could install one, and there is no Docker; set REDIS_URL to a Redis 7.0 or later, or REDIS_SERVER_BIN to a redis-server',
  );
}

function onPath(path: string, ownBin: string): RedisCommand | undefined {
  for (const folder of [...path.split(delimiter), ownBin]) {
    for (const name of PROGRAMS) {
      const program = join(folder, name);
      const version = existsSync(program) ? versionOf(program) : undefined;
      if (version !== undefined) return acceptable(program, version);
    }
  }
  return undefined;
}

/** The image that is run where there is only Docker. */
export const REDIS_IMAGE = 'redis:7.4-alpine';

function inDocker(path: string): RedisCommand | undefined {
  const program = find('docker', path);
  if (program === undefined) return undefined;
  // A client alone is no use: only a daemon that answers can run anything.
  const { status } = spawnSync(program, ['info'], { stdio: 'ignore', timeout: 10_000 });
  return status === 0 ? { kind: 'docker', program, version: REDIS_IMAGE } : undefined;
}

function find(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((program) => existsSync(program));
}

function acceptable(program: string, version: string): RedisCommand {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < FLOOR[0] || (major === FLOOR[0] && minor < FLOOR[1])) {
    throw new SluiceError(
      'REDIS_UNAVAILABLE',
      `${program} is version ${version}; needed: ${FLOOR.join('.')} or later`,
    );
  }
  return { kind: 'program', program, version };
}

function versionOf(program: string): string | undefined {
  const { stdout, status } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? /v=(\d+\.\d+\.\d+)/.exec(stdout)?.[1] : undefined;
}

/** One way to install: the commands to run, and what to do when they have worked. */
interface Installer {
  readonly name: string;
  readonly commands: readonly (readonly string[])[];
}

async function install(search: RedisSearch): Promise<RedisCommand | undefined> {
  const { environment, dataDir, onProgress = () => {} } = search;
  const path = environment.PATH ?? '';
  const installer = installerFor(path);
  if (installer === undefined) return undefined;
  const log = join(dataDir, 'logs', 'redis-install.log');
  mkdirSync(join(dataDir, 'logs'), { recursive: true });
  onProgress(`no Redis here: installing one with ${installer.name} (log: ${log})`);
  for (const command of installer.commands) {
    if (!(await run(command, log))) return undefined;
  }
  linkDebianBinary(join(dataDir, 'bin'));
  return onPath(path, join(dataDir, 'bin'));
}

function installerFor(path: string): Installer | undefined {
  const has = (program: string): boolean =>
    path.split(delimiter).some((folder) => existsSync(join(folder, program)));
  if (has('brew')) return { name: 'brew', commands: [['brew', 'install', 'redis']] };
  const root = process.getuid?.() === 0;
  const sudo = root ? [] : ['sudo', '-n'];
  if (!root && !has('sudo')) return undefined;
  if (has('apt-get')) {
    // Not redis-server: that package starts a server on port 6379 and has the system start it at every boot. The
    // program itself is in redis-tools.
    const apt = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
    return {
      name: 'apt-get',
      commands: [
        [...apt, 'update'],
        [...apt, 'install', '-y', '--no-install-recommends', 'redis-tools'],
      ],
    };
  }
  if (has('apk')) return { name: 'apk', commands: [[...sudo, 'apk', 'add', 'redis']] };
  if (has('dnf')) return { name: 'dnf', commands: [[...sudo, 'dnf', 'install', '-y', 'redis']] };
  return undefined;
}

/**
 * Debian builds one program that is a server or a checker by the name it is called by, and ships it in
 * redis-tools under the name of a checker. A link gives it the other name.
 */
function linkDebianBinary(folder: string): void {
  const checker = '/usr/bin/redis-check-rdb';
  const link = join(folder, 'redis-server');
  if (!existsSync(checker) || existsSync(link)) return;
  mkdirSync(folder, { recursive: true });
  symlinkSync(checker, link);
}

function run(command: readonly string[], log: string): Promise<boolean> {
  return new Promise((resolve) => {
    const output = createWriteStream(log, { flags: 'a' });
    output.once('open', () => {
      const [program = '', ...args] = command;
      const child = spawn(program, args, { stdio: ['ignore', output, output] });
      child.once('error', () => resolve(false));
      child.once('exit', (code) => resolve(code === 0));
    });
    output.once('error', () => resolve(false));
  });
}

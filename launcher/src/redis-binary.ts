import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '@sluice/contract';
import { installRedis } from './redis-install.js';
import { foldersOf, type RedisSearch } from './redis-search.js';
import { isRecentEnough, OLDEST_REDIS, tooOld } from './redis-version.js';

/** How a private Redis is started: by a program of this machine, or in a container. */
export interface RedisCommand {
  readonly kind: 'program' | 'docker';
  /** The Redis server, or the docker client. */
  readonly program: string;
  readonly version: string;
}

const PROGRAMS = ['redis-server', 'valkey-server'];
/** The image that is run where there is only Docker. */
export const REDIS_IMAGE = 'redis:7.4-alpine';

/**
 * Finds a Redis server to run, or installs one: `REDIS_SERVER_BIN`, then `redis-server` or `valkey-server` on
 * the PATH, then the package manager of the platform, then Docker.
 *
 * @throws SluiceError `REDIS_UNAVAILABLE`, one line that says what was tried and what to do
 */
export async function findRedis(search: RedisSearch): Promise<RedisCommand> {
  const given = search.environment.REDIS_SERVER_BIN;
  if (given !== undefined && given !== '') return givenProgram(given);
  const tried: string[] = [];
  const found =
    programHere(search, tried) ?? (await installedProgram(search, tried)) ?? inDocker(search, tried);
  if (found !== undefined) return found;
  throw new SluiceError(
    'REDIS_UNAVAILABLE',
    `no Redis to be had: ${tried.join('; ')}. Set REDIS_URL to a Redis ${OLDEST_REDIS} or later, or REDIS_SERVER_BIN to a redis-server`,
  );
}

/** Whoever names a program wants that one: nothing else is tried. */
function givenProgram(program: string): RedisCommand {
  const version = versionOf(program);
  if (version !== undefined && isRecentEnough(version)) return { kind: 'program', program, version };
  const fault = version === undefined ? 'it does not run as a Redis server' : `it ${tooOld(version)}`;
  throw new SluiceError('REDIS_UNAVAILABLE', `REDIS_SERVER_BIN is ${program}: ${fault}`);
}

function programHere(search: RedisSearch, tried: string[]): RedisCommand | undefined {
  const ownBin = join(search.dataDir, 'bin');
  const tooOldOnes: string[] = [];
  const folders = foldersOf(search.environment);
  for (const folder of [...folders, ownBin]) {
    if (folder === ownBin) linkDebianBinary(ownBin, folders);
    for (const name of PROGRAMS) {
      const program = join(folder, name);
      const version = existsSync(program) ? versionOf(program) : undefined;
      if (version === undefined) continue;
      if (isRecentEnough(version)) return { kind: 'program', program, version };
      tooOldOnes.push(`${program} ${tooOld(version)}`);
    }
  }
  tried.push(...(tooOldOnes.length > 0 ? tooOldOnes : [`no ${PROGRAMS.join(' or ')} on the PATH`]));
  return undefined;
}

async function installedProgram(search: RedisSearch, tried: string[]): Promise<RedisCommand | undefined> {
  const attempts = await installRedis(search, () => programHere(search, []) !== undefined);
  const found = programHere(search, []);
  if (found === undefined) tried.push(...attempts);
  return found;
}

function inDocker({ environment }: RedisSearch, tried: string[]): RedisCommand | undefined {
  const program = foldersOf(environment)
    .map((folder) => join(folder, 'docker'))
    .find((path) => existsSync(path));
  if (program === undefined) {
    tried.push('no Docker');
    return undefined;
  }
  // A client alone is no use: only a daemon that answers can run anything.
  const { status } = spawnSync(program, ['info'], { stdio: 'ignore', timeout: 10_000 });
  if (status === 0) return { kind: 'docker', program, version: REDIS_IMAGE };
  tried.push('no Docker daemon answers');
  return undefined;
}

/**
 * Debian builds one program that is a server or a checker by the name it is called by, and ships it in
 * redis-tools under the name of a checker. A link gives it the other name.
 */
function linkDebianBinary(ownBin: string, folders: readonly string[]): void {
  const link = join(ownBin, 'redis-server');
  if (existsSync(link)) return;
  rmSync(link, { force: true }); // what it points to is gone
  const checker = folders.map((folder) => join(folder, 'redis-check-rdb')).find((path) => existsSync(path));
  if (checker === undefined) return;
  mkdirSync(ownBin, { recursive: true });
  try {
    symlinkSync(checker, link);
  } catch (error) {
    // Two that look at the same time: the other has made it.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function versionOf(program: string): string | undefined {
  const { stdout, status } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? /v=(\d+\.\d+\.\d+)/.exec(stdout)?.[1] : undefined;
}

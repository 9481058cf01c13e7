import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { holdingLock } from './lock-file.js';
import { foldersOf, type RedisSearch } from './redis-search.js';

/** Runs a command of a package manager; resolves with whether it worked. */
type Run = (...command: string[]) => Promise<boolean>;

interface PackageManager {
  readonly program: string;
  /** `brew` refuses to run as root, the others need to. */
  readonly needsRoot: boolean;
  readonly install: (run: Run) => Promise<boolean>;
}

const APT = [
  'env',
  'DEBIAN_FRONTEND=noninteractive',
  'NEEDRESTART_MODE=l', // Ubuntu restarts services after an install: only list them, they are not ours to restart
  'apt-get',
  '-o=DPkg::Lock::Timeout=120', // a machine that has just been started is often updating itself
  '-o=Acquire::http::Timeout=20',
  '-o=Acquire::https::Timeout=20',
];

const PACKAGE_MANAGERS: readonly PackageManager[] = [
  {
    program: 'apt-get',
    needsRoot: true,
    // Not redis-server: that package starts a server on port 6379 and has the system start it at every boot, and
    // what would hold it back (RUNLEVEL=1, a policy-rc.d) is not heeded everywhere. The program itself is in
    // redis-tools, which has no service.
    install: async (run) => {
      const install = () => run(...APT, 'install', '-y', '--no-install-recommends', 'redis-tools');
      if (await install()) return true;
      // The lists are missing or out of date. One broken source fails the update, and need not be the one we need.
      await run(...APT, 'update');
      return install();
    },
  },
  {
    program: 'brew',
    needsRoot: false,
    install: (run) => run('env', 'HOMEBREW_NO_AUTO_UPDATE=1', 'brew', 'install', 'redis'),
  },
  {
    program: 'apk',
    needsRoot: true,
    install: async (run) =>
      (await run('apk', 'add', '--no-cache', 'redis')) || run('apk', 'add', '--no-cache', 'valkey'),
  },
  {
    program: 'dnf',
    needsRoot: true,
    // Fedora and RHEL are replacing Redis by Valkey; where both are left, the Redis of RHEL 9 is too old.
    install: async (run) =>
      (await run('dnf', 'install', '-y', 'valkey')) || run('dnf', 'install', '-y', 'redis'),
  },
];

/**
 * Installs a Redis by the first package manager here that can. Test files that run at the same time all come
 * here: one installs, the others wait for it.
 *
 * @param isThere whether there is one by now
 * @returns what did not work, one part of a sentence each; empty when one of them worked
 */
export async function installRedis(
  { environment, dataDir, onProgress = () => {} }: RedisSearch,
  isThere: () => boolean,
): Promise<string[]> {
  const folders = foldersOf(environment);
  const has = (program: string) => folders.some((folder) => existsSync(join(folder, program)));
  const present = PACKAGE_MANAGERS.filter(({ program }) => has(program));
  if (present.length === 0) {
    return [`none of ${PACKAGE_MANAGERS.map(({ program }) => program).join(', ')} to install one with`];
  }
  const logs = join(dataDir, 'logs');
  mkdirSync(logs, { recursive: true });
  const log = join(logs, 'redis-install.log');
  return holdingLock(join(dataDir, 'redis-install.lock'), async () => {
    const failed: string[] = [];
    if (isThere()) return failed;
    for (const { program, needsRoot, install } of present) {
      const sudo = needsRoot ? rootBy(environment, has) : [];
      if (sudo === undefined) {
        failed.push(`${program} needs root, and sudo -n does not give it`);
        continue;
      }
      onProgress(`no Redis here: installing one with ${program} (log: ${log})`);
      if (!(await install((...command) => run([...sudo, ...command], environment, log)))) {
        failed.push(`${program} could not install one, see ${log}`);
      } else if (isThere()) {
        return [];
      } else {
        failed.push(`${program} installed none that is recent enough`);
      }
    }
    return failed;
  });
}

/** What to put before a command so that it runs as root, or nothing if we cannot without asking. */
function rootBy(
  environment: RedisSearch['environment'],
  has: (program: string) => boolean,
): string[] | undefined {
  if (process.getuid?.() === 0) return [];
  if (!has('sudo')) return undefined;
  const { status } = spawnSync('sudo', ['-n', 'true'], { env: environment, stdio: 'ignore' });
  return status === 0 ? ['sudo', '-n'] : undefined;
}

function run(
  command: readonly string[],
  environment: RedisSearch['environment'],
  log: string,
): Promise<boolean> {
  const output = openSync(log, 'a');
  return new Promise((resolve) => {
    const [program = '', ...args] = command;
    // A process group of its own: Ctrl-C must not catch a package manager half-way.
    const child = spawn(program, args, {
      env: environment,
      stdio: ['ignore', output, output],
      detached: true,
    });
    closeSync(output);
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

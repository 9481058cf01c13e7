import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckResult } from './check.js';

export const LOCK_FILE = 'package-lock.json';

/** A package in package-lock.json, as far as it is looked at here. */
interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

export interface LockFile {
  packages: Record<string, LockedPackage>;
}

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

export function readLockFile(root: string): LockFile {
  return JSON.parse(readFileSync(join(root, LOCK_FILE), 'utf8'));
}

/**
 * The lock file with an entry for every optional package it mentions.
 *
 * npm writes no entry for a native binding that the registry it was run against does not serve; `npm ci` then
 * fails everywhere, and `npm install` leaves out the binding on the platform that needs it. The entries added
 * have a version and a platform and no integrity: what cannot be fetched here cannot be hashed here either.
 *
 * @throws Error when the name of a missing package does not say its platform.
 */
export function completeLockFile(lock: LockFile): LockFile {
  const packages = { ...lock.packages };
  for (const { name, version, dev } of missingPackages(lock)) {
    const { cpu, libc, os } = platformOf(name);
    // In npm's order, so that its next run changes nothing.
    packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(dev ? { dev } : {}),
      ...(libc.length > 0 ? { libc } : {}),
      optional: true,
      ...(os.length > 0 ? { os } : {}),
    };
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { ...lock, packages: Object.fromEntries(sorted) };
}

/** Whether `npm ci` has an entry for all that it will ask for, on every platform. */
export function checkLockFile(lock: LockFile): CheckResult {
  return {
    summary: `${Object.keys(lock.packages).length} packages are locked, for every platform`,
    faults: missingPackages(lock).map(
      ({ name, version }) => `${LOCK_FILE} has no entry for ${name}@${version}: run npm run complete-lock`,
    ),
  };
}

function missingPackages({ packages }: LockFile) {
  return Object.values(packages).flatMap(({ optionalDependencies = {}, dev = false }) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !(`node_modules/${name}` in packages))
      .map(([name, version]) => ({ name, version, dev })),
  );
}

/** Native bindings carry their platform in their name: `binding-linux-arm64-musl`. */
function platformOf(name: string): { os: string[]; cpu: string[]; libc: string[] } {
  const words = name.split('/').at(-1)?.split('-') ?? [];
  const os = words.filter((word) => SYSTEMS.includes(word));
  const cpu = words.filter((word) => PROCESSORS.includes(word));
  if (cpu.length === 0) throw new Error(`${name} does not say in its name for which platform it is`);
  const libc = os.includes('linux') ? words.flatMap((word) => /^(musl|gnu)/.exec(word)?.[1] ?? []) : [];
  return { os, cpu, libc: libc.map((one) => (one === 'gnu' ? 'glibc' : one)) };
}

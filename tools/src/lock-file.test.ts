import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkLockFile, completeLockFile } from './lock-file.js';

const lock = {
  lockfileVersion: 3,
  packages: {
    '': {},
    'node_modules/biome': {
      version: '2.0.0',
      dev: true,
      optionalDependencies: { '@biome/cli-darwin-arm64': '2.0.0', '@biome/cli-linux-x64': '2.0.0' },
    },
    'node_modules/@biome/cli-linux-x64': { version: '2.0.0', optional: true },
    'node_modules/oxc': {
      version: '1.0.0',
      optionalDependencies: {
        '@oxc/binding-linux-arm-gnueabihf': '1.0.0',
        '@oxc/binding-linux-x64-musl': '1.0.0',
        '@oxc/binding-wasm32-wasip1': '1.0.0',
      },
    },
  },
};

describe('completeLockFile', () => {
  it('adds an entry with version and platform for each binding that is missing, and keeps the rest', () => {
    const { packages } = completeLockFile(lock);
    assert.deepEqual(packages, {
      ...lock.packages,
      'node_modules/@biome/cli-darwin-arm64': {
        version: '2.0.0',
        cpu: ['arm64'],
        os: ['darwin'],
        dev: true,
        optional: true,
      },
      'node_modules/@oxc/binding-linux-arm-gnueabihf': {
        version: '1.0.0',
        libc: ['glibc'],
        cpu: ['arm'],
        os: ['linux'],
        optional: true,
      },
      'node_modules/@oxc/binding-linux-x64-musl': {
        version: '1.0.0',
        libc: ['musl'],
        cpu: ['x64'],
        os: ['linux'],
        optional: true,
      },
      'node_modules/@oxc/binding-wasm32-wasip1': { version: '1.0.0', cpu: ['wasm32'], optional: true },
    });
    assert.deepEqual(
      Object.keys(packages),
      Object.keys(packages).sort((a, b) => a.localeCompare(b, 'en')),
    );
  });

  it('refuses to guess the platform of a package whose name does not say it', () => {
    const odd = { packages: { 'node_modules/a': { optionalDependencies: { fsevents: '2.0.0' } } } };
    assert.throws(() => completeLockFile(odd), /fsevents does not say/);
  });
});

describe('checkLockFile', () => {
  it('names what is missing, and nothing once the file is complete', () => {
    assert.equal(checkLockFile(lock).faults.length, 4);
    assert.match(checkLockFile(lock).faults[0] ?? '', /no entry for @biome\/cli-darwin-arm64@2\.0\.0/);
    assert.deepEqual(checkLockFile(completeLockFile(lock)).faults, []);
  });
});

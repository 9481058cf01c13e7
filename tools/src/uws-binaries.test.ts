import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fixtureFolder } from './fixture.js';
import { checkUwsBinaries, type InstalledUws, pinnedListOf, readInstalledUws } from './uws-binaries.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const LINUX = 'dist/bin/uws_linux_x64_115.node';
const DARWIN = 'dist/bin/uws_darwin_arm64_115.node';

const installed = (hashes: Record<string, string>, name = 'uws-pack'): InstalledUws => ({
  name,
  version: '1.0.0',
  hashes: new Map(Object.entries(hashes)),
});

describe('checkUwsBinaries', () => {
  it('accepts the binaries it was pinned to', () => {
    const uws = installed({ [LINUX]: A, [DARWIN]: B });
    const result = checkUwsBinaries(uws, pinnedListOf(uws));
    assert.deepEqual(result, {
      summary: '2 native binaries of uws-pack 1.0.0 are the pinned ones',
      faults: [],
    });
  });

  it('refuses a binary that changed', () => {
    const { faults } = checkUwsBinaries(installed({ [LINUX]: B }), pinnedListOf(installed({ [LINUX]: A })));
    assert.deepEqual(faults, [`${LINUX} of uws-pack 1.0.0 has SHA-256 ${B}, pinned is ${A}: do not run it`]);
  });

  it('refuses a binary that was added, and one that is missing', () => {
    const { faults } = checkUwsBinaries(installed({ [LINUX]: A }), pinnedListOf(installed({ [DARWIN]: B })));
    assert.equal(faults.length, 2);
    assert.match(faults[0] ?? '', /linux.* is not in/);
    assert.match(faults[1] ?? '', /darwin.* is pinned but missing/);
  });

  it('refuses a list that pins nothing or cannot be read', () => {
    assert.match(checkUwsBinaries(installed({}), '').faults[0] ?? '', /pins nothing/);
    assert.throws(() => checkUwsBinaries(installed({}), 'not a hash'), /cannot read the line not a hash/);
  });

  it('gives notice, and no fault, when the official package was put in by an override', () => {
    const official = installed({ 'uws_linux_x64_115.node': B }, 'uWebSockets.js');
    const { summary, faults } = checkUwsBinaries(official, pinnedListOf(installed({ [LINUX]: A })));
    assert.match(
      summary,
      /^notice: uWebSockets\.js is uWebSockets\.js 1\.0\.0 here, not the pinned uws-pack/,
    );
    assert.deepEqual(faults, []);
  });
});

describe('readInstalledUws', () => {
  it('hashes every native binary of the package, and nothing else', (t) => {
    const root = fixtureFolder(t, {
      'package.json': { name: 'uws-pack', version: '1.0.0' },
      'dist/index.mjs': '',
      'dist/bin/a.node': 'a',
    });
    assert.deepEqual(
      readInstalledUws(root),
      installed({ 'dist/bin/a.node': 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb' }),
    );
  });
});

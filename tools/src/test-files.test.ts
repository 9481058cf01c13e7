import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fixtureFolder } from './fixture.js';
import { compiledTestFiles } from './test-files.js';

const project = { compilerOptions: { rootDir: 'src', outDir: 'dist' } };
const tree = {
  'package.json': { workspaces: ['engine'] },
  'engine/package.json': { name: '@sluice/engine' },
  'engine/tsconfig.json': project,
  'engine/src/deep/batcher.test.ts': '',
  'engine/dist/deep/batcher.test.js': '',
  'engine/dist/deleted.test.js': '',
  'engine/test/tsconfig.json': { compilerOptions: { rootDir: '.', outDir: 'dist' } },
  'engine/test/crash.test.ts': '',
  'engine/test/dist/crash.test.js': '',
};

describe('compiledTestFiles', () => {
  it('finds unit tests and the tests of test/, and passes over output without a source', (t) => {
    assert.deepEqual(compiledTestFiles(fixtureFolder(t, tree)).sort(), [
      'engine/dist/deep/batcher.test.js',
      'engine/test/dist/crash.test.js',
    ]);
  });

  it('keeps to the files whose path contains one of the texts', (t) => {
    const root = fixtureFolder(t, tree);
    assert.deepEqual(compiledTestFiles(root, ['nothing', 'engine/test']), ['engine/test/dist/crash.test.js']);
    assert.throws(() => compiledTestFiles(root, ['nothing']), /no test matches nothing among 2 test files/);
  });

  it('refuses a repository without tests', (t) => {
    const root = fixtureFolder(t, { 'package.json': { workspaces: [] } });
    assert.throws(() => compiledTestFiles(root), /no test matches \*\.test\.ts among 0 test files/);
  });

  it('refuses a test that nothing has compiled', (t) => {
    const root = fixtureFolder(t, { ...tree, 'engine/src/new.test.ts': '' });
    assert.throws(() => compiledTestFiles(root), /new\.test\.ts is not compiled/);
    const outside = fixtureFolder(t, { ...tree, 'engine/tsconfig.json': {} });
    assert.throws(() => compiledTestFiles(outside), /batcher\.test\.ts is in no project/);
  });
});

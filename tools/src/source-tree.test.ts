import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fixtureFolder } from './fixture.js';
import { checkLayers } from './layers.js';
import { readSourceTree } from './source-tree.js';

describe('readSourceTree', () => {
  it('reads the sources of every workspace, and neither output nor dependencies', (t) => {
    const root = fixtureFolder(t, {
      'package.json': { workspaces: ['contract', 'examples/webhooks'] },
      'contract/package.json': { name: '@sluice/contract', exports: { '.': {}, './testing': {} } },
      'contract/src/index.ts': 'export {};',
      'contract/src/deep/keys.mts': 'export {};',
      'contract/test/keys.test.ts': 'export {};',
      'contract/src/script.lua': '',
      'contract/dist/index.d.ts': 'export {};',
      'contract/node_modules/x/index.ts': 'export {};',
      'examples/webhooks/package.json': { name: '@sluice/webhooks' },
      'examples/webhooks/src/main.ts': `import '@sluice/contract';`,
      'elsewhere/index.ts': 'export {};',
    });
    const { packages, files } = readSourceTree(root);
    assert.deepEqual(packages, [
      {
        name: '@sluice/contract',
        directory: 'contract',
        doors: ['@sluice/contract', '@sluice/contract/testing'],
      },
      { name: '@sluice/webhooks', directory: 'examples/webhooks', doors: [] },
    ]);
    assert.deepEqual([...files.keys()].sort(), [
      'contract/src/deep/keys.mts',
      'contract/src/index.ts',
      'contract/test/keys.test.ts',
      'examples/webhooks/src/main.ts',
    ]);
    assert.equal(files.get('examples/webhooks/src/main.ts'), `import '@sluice/contract';`);
  });

  it('lets the layer check fail in a repository without sources', (t) => {
    const root = fixtureFolder(t, {
      'package.json': { workspaces: ['contract'] },
      'contract/package.json': { name: '@sluice/contract' },
    });
    assert.equal(checkLayers(readSourceTree(root)).faults.length, 1);
  });
});

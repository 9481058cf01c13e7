import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LAYER_RULES, RULES } from './layer-rules.js';
import { checkLayers } from './layers.js';

const packages = [...Object.keys(LAYER_RULES)].map((directory) => {
  const name = `@sluice/${directory.split('/').at(-1)}`;
  return { name, directory, doors: directory === 'consumers' ? [name, `${name}/testing`] : [name] };
});

const check = (files: Record<string, string>) =>
  checkLayers({ packages, files: new Map(Object.entries(files)) });

/** The faults of a tree that holds this one import, besides nothing wrong. */
const faultsOf = (path: string, text: string) => check({ [path]: text }).faults;

describe('checkLayers', () => {
  it('accepts what the layers allow, and says how much it read', () => {
    const report = check({
      'contract/src/keys.ts': `import { a } from './task-type.js';`,
      'contract/src/task-type.ts': `import type { Static } from 'typebox';`,
      'telemetry/src/log.ts': `import { pino } from 'pino'; import { b } from '@sluice/contract';`,
      'engine/src/main.ts': `import { c } from '@sluice/telemetry'; process.env.REDIS_URL;`,
      'engine/test/crash.test.ts': `import { d } from '@sluice/testbed'; import { e } from '@sluice/engine';`,
      'test/system.ts': `import { g } from '@sluice/testbed'; process.env.PATH;`,
      'examples/webhooks/src/service.ts': `import { f } from '@sluice/consumers/testing';`,
    });
    assert.deepEqual(report, { files: 7, imports: 9, faults: [] });
  });

  for (const [what, path, specifier] of [
    ['contract importing anything of ours', 'contract/src/keys.ts', '@sluice/telemetry'],
    ['telemetry importing the engine', 'telemetry/src/log.ts', '@sluice/engine'],
    ['engine importing consumers', 'engine/src/engine.ts', '@sluice/consumers'],
    ['consumers importing the engine', 'consumers/src/thread.ts', '@sluice/engine'],
    ['consumers importing the engine in a test', 'consumers/test/crash.test.ts', '@sluice/engine'],
    ['the launcher importing what it starts', 'launcher/src/up.ts', '@sluice/engine'],
    ['the testbed importing what it starts', 'testbed/src/process.ts', '@sluice/consumers'],
    ['engine importing the testbed outside its tests', 'engine/src/engine.ts', '@sluice/testbed'],
    ['an example importing an unpublished package', 'examples/webhooks/src/replay.ts', '@sluice/testbed'],
    ['the bench importing the launcher', 'bench/src/main.ts', '@sluice/launcher'],
    ['tools importing what they look at', 'tools/src/lint.ts', '@sluice/engine'],
  ] as const) {
    it(`refuses ${what}, with the reason`, () => {
      const directory = path.split(/\/(src|test)\//)[0] ?? '';
      const faults = faultsOf(path, `\nimport type { A } from '${specifier}';`);
      assert.equal(faults.length, 1);
      assert.ok(
        faults[0]?.startsWith(`${path}:2: imports ${specifier}: ${directory} may import `),
        faults[0],
      );
      assert.ok(faults[0]?.endsWith(LAYER_RULES[directory]?.because ?? 'no rule'), faults[0]);
    });
  }

  it('refuses imports of files behind a door', () => {
    assert.deepEqual(faultsOf('bench/src/bare.ts', `import { a } from '@sluice/engine/dist/xadd.js';`), [
      `bench/src/bare.ts:1: imports @sluice/engine/dist/xadd.js: ${RULES.deepImport}`,
    ]);
  });

  it('refuses relative imports of another package', () => {
    assert.deepEqual(faultsOf('engine/src/engine.ts', `export * from '../../contract/src/keys.js';`), [
      `engine/src/engine.ts:1: imports ../../contract/src/keys.js: ${RULES.acrossPackages}`,
    ]);
  });

  it('refuses a package that imports itself by name', () => {
    assert.deepEqual(faultsOf('engine/src/main.ts', `import { a } from '@sluice/engine';`), [
      `engine/src/main.ts:1: imports @sluice/engine: ${RULES.ownDoor}`,
    ]);
  });

  it('refuses library code that reads the environment', () => {
    assert.deepEqual(faultsOf('engine/src/engine.ts', `import 'x';\nprocess.env.REDIS_URL;`), [
      `engine/src/engine.ts:2: reads process.env: ${RULES.environment}`,
    ]);
  });

  it('refuses files that import each other, also when only types go round', () => {
    const report = check({
      'engine/src/a.ts': `import { b } from './b.js';`,
      'engine/src/b.ts': `import type { C } from './deep/c.js';`,
      'engine/src/deep/c.ts': `export { a } from '../a.js';`,
    });
    assert.deepEqual(report.faults, [
      `engine/src/a.ts -> engine/src/b.ts -> engine/src/deep/c.ts -> engine/src/a.ts: ${RULES.circular}`,
    ]);
  });

  it('refuses a workspace that has no rule yet', () => {
    const gateway = { name: '@sluice/gateway', directory: 'gateway', doors: ['@sluice/gateway'] };
    const report = checkLayers({
      packages: [gateway],
      files: new Map([['gateway/src/index.ts', `import 'x';`]]),
    });
    assert.deepEqual(report.faults, [`gateway: ${RULES.unknownLayer}`]);
  });

  it('fails when it read no file', () => {
    assert.match(check({}).faults[0] ?? '', /no source file found/);
  });

  it('fails when it found no import', () => {
    assert.match(faultsOf('engine/src/engine.ts', 'export const a = 1;')[0] ?? '', /no import found/);
  });
});

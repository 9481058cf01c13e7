import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSource } from './source-facts.js';

const specifiersOf = (text: string) =>
  readSource('a.ts', text).imports.map(({ specifier, line }) => `${line} ${specifier}`);
const environmentReadsOf = (text: string) => readSource('a.ts', text).environmentReads;

describe('readSource', () => {
  it('finds every way to import', () => {
    for (const text of [
      `import { a } from 'x';`,
      `import a from "x";`,
      `import * as a from 'x';`,
      `import 'x';`,
      `import type { A } from 'x';`,
      `import { type A } from 'x';`,
      `export { a, b } from 'x';`,
      `export * from 'x';`,
      `export * as a from 'x';`,
      `export type { A } from 'x';`,
      `import a = require('x');`,
      `type A = import('x').A;`,
      `const a: typeof import('x') = b;`,
      `const a = await import('x');`,
      'const a = await import(`x`);',
      `const a = require('x');`,
      `const a = import.meta.resolve('x');`,
    ]) {
      assert.deepEqual(specifiersOf(text), ['1 x'], text);
    }
  });

  it('says the line of each', () => {
    assert.deepEqual(specifiersOf(`// first\nimport {\n  a,\n} from 'x';\n\nexport * from 'y';`), [
      '4 x',
      '6 y',
    ]);
  });

  it('is not taken in by comments, strings, templates and regular expressions', () => {
    assert.deepEqual(
      specifiersOf(
        [
          `// import 'x';`,
          `/* import 'x'; */`,
          `const text = "import 'x'";`,
          `const template = \`import 'x'; \${text} export * from 'y'\`;`,
          `const pattern = /import 'x'["'\`]/;`,
          `if (a) /'/.test(b);`,
        ].join('\n'),
      ),
      [],
    );
  });

  it('passes over targets that are only known when it runs', () => {
    assert.deepEqual(specifiersOf(`await import(url); await import('./' + name + '.js');`), []);
  });

  it('finds every way to read the environment', () => {
    for (const text of [
      'process.env.HOME;',
      'process?.env;',
      `process['env'];`,
      'globalThis.process.env;',
      'const { env } = process;',
      'const { env: environment } = process;',
      'const { argv, ...rest } = process;',
      `import { env } from 'node:process';`,
      `import { env as environment } from 'process';`,
      `import me from 'node:process'; me.env;`,
      `import * as me from 'node:process'; const { env } = me;`,
    ]) {
      assert.deepEqual(environmentReadsOf(text), [1], text);
    }
  });

  it('takes other uses of process, and other things called env, for what they are', () => {
    for (const text of [
      'process.pid;',
      'const { pid } = process;',
      'options.env;',
      'worker({ env: SHARE_ENV });',
      `// process.env`,
      `'process.env'`,
      `import { argv } from 'node:process';`,
    ]) {
      assert.deepEqual(environmentReadsOf(text), [], text);
    }
  });

  it('refuses a source that does not parse', () => {
    assert.throws(
      () => readSource('engine/src/broken.ts', 'import {'),
      /engine\/src\/broken\.ts does not parse/,
    );
  });
});

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const README = new URL('../../../README.md', import.meta.url);
const FILES = new URL('../readme/', import.meta.url);

/** The README breaks lines as it reads best, the files as the formatter wants it. */
const withoutLayout = (code: string) => code.replace(/\s+/g, '').replace(/,(?=[)}\]])/g, '');

test('the examples of the README are files that are compiled, and whose tests run', () => {
  const blocks = [
    ...readFileSync(README, 'utf8').matchAll(/```ts\n\/\/ (\S+\.ts)\n([^`]*(?:`[^`]+`[^`]*)*?)```/g),
  ];
  const seen = blocks.flatMap(([, name = '', code = '']) => {
    const file = new URL(name, FILES);
    if (!existsSync(file)) return []; // main.ts starts a consumer
    assert.equal(withoutLayout(code), withoutLayout(readFileSync(file, 'utf8')), name);
    return [name];
  });
  assert.deepEqual(seen, ['tasks.ts', 'handlers/welcome-mail.ts', 'welcome-mail.test.ts']);
});

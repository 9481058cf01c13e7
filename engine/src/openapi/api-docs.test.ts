import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveOptions } from '@sluice/contract';
import { engineOptions } from '../options.js';
import { apiDocsOf } from './api-docs.js';

const OPTIONS = resolveOptions(engineOptions, {});
const PAGE_PATHS = ['/docs', '/docs/start.js', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui.css'];
const KEYS = { apiKeysFile: 'keys.txt' };
const found = (): Buffer => Buffer.from('x');
const missing = (): undefined => undefined;

describe('apiDocsOf', () => {
  for (const [what, options, find, paths, forKeyHolders, lacksPage] of [
    ['on', {}, found, ['/openapi.json', ...PAGE_PATHS], false, false],
    ['public', { apiDocs: 'public' }, found, ['/openapi.json', ...PAGE_PATHS], false, false],
    ['on, with keys', KEYS, found, ['/openapi.json'], true, false],
    [
      'public, with keys',
      { ...KEYS, apiDocs: 'public' },
      found,
      ['/openapi.json', ...PAGE_PATHS],
      false,
      false,
    ],
    ['on, without Swagger UI', {}, missing, ['/openapi.json'], false, true],
    ['on, with keys and without Swagger UI', KEYS, missing, ['/openapi.json'], true, false],
  ] as const) {
    it(`${what}: serves ${paths.length === 1 ? 'the document' : 'the document and the page'}`, () => {
      const docs = apiDocsOf({ ...OPTIONS, ...options }, [], find);
      assert.deepEqual([...(docs?.answers.keys() ?? [])].sort(), [...paths].sort());
      assert.deepEqual([docs?.forKeyHolders, docs?.lacksPage], [forKeyHolders, lacksPage]);
    });
  }

  it('off: serves nothing', () => {
    assert.equal(apiDocsOf({ ...OPTIONS, apiDocs: 'off' }, [], found), undefined);
  });
});

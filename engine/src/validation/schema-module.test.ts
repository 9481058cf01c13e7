import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadTaskTypes } from './schema-module.js';

const moduleOf = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;

describe('loadTaskTypes', () => {
  it('imports the task types of a module by its URL', async () => {
    const types = await loadTaskTypes(moduleOf("export default [{ name: 'a.b', data: { type: 'string' } }]"));
    assert.deepEqual(types, [{ name: 'a.b', data: { type: 'string' } }]);
  });

  it('imports a file by a path relative to the working directory, which may have any characters', async () => {
    await assert.rejects(loadTaskTypes('no/such #file?.js'), {
      code: 'INVALID_OPTIONS',
      message: /^SCHEMA_MODULE is no\/such #file\?\.js: no such file: .*such #file\?\.js$/,
    });
    await assert.rejects(loadTaskTypes('C:no-such-file.js'), { message: /no such file/ });
    await assert.rejects(loadTaskTypes('file:///no/such/file.js'), { message: /no such file/ });
  });

  const refused: [what: string, source: string, message: RegExp][] = [
    ['that fails to load', 'throw new Error("broken inside")', /it fails to load: broken inside$/],
    ['that is no JavaScript', 'export default [', /it fails to load: /],
    ['that imports what there is not', 'import "file:///no/such.js"', /it fails to load: Cannot find module/],
    ['without a default export', 'export const types = []', /has no default export; allowed: an array/],
    [
      'whose default export is an object',
      'export default {}',
      /is an object; allowed: an array of task types/,
    ],
    ['whose default export is null', 'export default null', /is null; allowed: an array of task types/],
    ['with an entry that is no task type', 'export default [{ name: "a" }]', /entry 0 is no task type/],
    ['with null among its types', 'export default [null]', /entry 0 is no task type/],
    [
      'with a name that is not valid',
      'export default [{ name: "a b", data: {} }]',
      /"a b" is not a valid name/,
    ],
    ['with the name default', 'export default [{ name: "default", data: {} }]', /"default" is taken/],
    [
      'with two types of one name',
      'export default [{ name: "a", data: {} }, { name: "a", data: {} }]',
      /two task types are named a$/,
    ],
  ];
  for (const [what, source, message] of refused) {
    it(`refuses a module ${what}`, async () => {
      await assert.rejects(loadTaskTypes(moduleOf(source)), { code: 'INVALID_OPTIONS', message });
    });
  }

  it('refuses a scheme that Node cannot import', async () => {
    await assert.rejects(loadTaskTypes('https://schemas.example/types.js'), {
      code: 'INVALID_OPTIONS',
      message: /it fails to load: /,
    });
  });
});

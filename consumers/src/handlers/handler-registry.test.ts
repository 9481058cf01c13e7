import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveOptions } from '@sluice/contract';
import { consumerOptions } from '../options.js';
import { loadHandlers, moduleUrl } from './handler-registry.js';

const options = resolveOptions(consumerOptions, { maxAttempts: 5, maxConcurrentTasks: 8 });

/** A handler module made of text; it imports `defineHandler` as a user would. */
function moduleOf(code: string): string {
  const handler = new URL('./handler.js', import.meta.url).href;
  const source = `import { defineHandler } from ${JSON.stringify(handler)};\n${code}`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

test('a handler is loaded with the options it does not set itself', async () => {
  const url = moduleOf(
    `export default defineHandler('default', () => 'ran', { timeoutSeconds: 2, concurrency: 99 });`,
  );
  const handler = (await loadHandlers({ default: url }, options)).get('default');
  assert.equal(handler?.retryPolicy.maxAttempts, 5);
  assert.equal(handler?.timeoutMs, 2000);
  assert.equal(handler?.concurrency, 8);
  assert.equal(handler?.faultsOf({ any: 'thing' }), undefined);
});

test('the schema of its task type says what is wrong with data, and where', async () => {
  const url = moduleOf(`export default defineHandler(
    { name: 'resize', data: { type: 'object', required: ['width'], properties: { width: { type: 'integer' } } } }, () => {});`);
  const handler = (await loadHandlers({ resize: url }, options)).get('resize');
  assert.equal(handler?.faultsOf({ width: 3 }), undefined);
  assert.match(handler?.faultsOf({ width: 'x' }) ?? '', /\/width .*integer/);
  assert.match(handler?.faultsOf({}) ?? '', /width/);
});

const unusable: [what: string, url: string, message: RegExp][] = [
  ['a module that is not there', 'file:///nowhere/handler.js', /"resize".*does not load/],
  ['a module that throws', moduleOf('throw new Error("no database");'), /does not load: Error: no database/],
  ['a module without a default export', moduleOf('export const a = 1;'), /no handler as its default export/],
  ['a bare function', moduleOf('export default () => {};'), /export default defineHandler/],
  [
    'the handler of another type',
    moduleOf(`export default defineHandler('default', () => {});`),
    /is the handler of task type "default"/,
  ],
];
for (const [what, url, message] of unusable) {
  test(`${what} is refused, naming the task type and the reason`, async () => {
    await assert.rejects(loadHandlers({ resize: url }, options), { code: 'HANDLER_MODULE', message });
  });
}

test('modules may be named by URL or by path', () => {
  const url = new URL('file:///srv/handler.js');
  assert.equal(moduleUrl(url), 'file:///srv/handler.js');
  assert.equal(moduleUrl('file:///srv/handler.js'), 'file:///srv/handler.js');
  assert.equal(moduleUrl('/srv/my handler.js'), 'file:///srv/my%20handler.js');
  assert.match(moduleUrl('handler.js'), /^file:\/\/\/.*\/handler\.js$/);
});

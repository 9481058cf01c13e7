import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listeningUrl } from './listening-url.js';

for (const [host, url] of [
  ['127.0.0.1', 'http://127.0.0.1:80'],
  ['0.0.0.0', 'http://127.0.0.1:80'],
  ['localhost', 'http://localhost:80'],
  ['::', 'http://[::1]:80'],
  ['::1', 'http://[::1]:80'],
  ['fe80::1', 'http://[fe80::1]:80'],
] as const) {
  test(`what listens on ${host} is reached under ${url}`, () => {
    assert.equal(listeningUrl(host, 80), url);
  });
}

test('what listens with a certificate is reached by https', () => {
  assert.equal(listeningUrl('::', 443, 'https'), 'https://[::1]:443');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkInstalled } from './optional-packages.js';

test('packages that are installed are no fault', () => {
  checkInstalled('errors are to be sent to Sentry', ['@sentry/core', 'hot-shots']);
});

test('packages that are missing are named, with what needs them', () => {
  const find = (name: string): void => {
    if (name !== 'hot-shots') throw new Error('not found');
  };
  assert.throws(() => checkInstalled('spans are to be sent', ['hot-shots', '@a/b', 'c'], find), {
    code: 'INVALID_OPTIONS',
    message: 'spans are to be sent, and for that these packages have to be installed: @a/b, c',
  });
});

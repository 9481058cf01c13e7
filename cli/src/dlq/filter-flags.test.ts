import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFilter } from './filter-flags.js';

const NOW = Date.parse('2026-01-31T12:00:00Z');

describe('readFilter', () => {
  it('reads times ago and dates', () => {
    assert.equal(readFilter({ since: '90s' }, [], NOW).since, NOW - 90_000);
    assert.equal(readFilter({ since: '1.5h' }, [], NOW).since, NOW - 5_400_000);
    assert.equal(readFilter({ until: '7d' }, [], NOW).until, NOW - 604_800_000);
    assert.equal(readFilter({ until: '2026-01-31T12:00:00Z' }, [], NOW).until, NOW);
  });

  it('refuses times that are none, naming the flag', () => {
    for (const text of ['yesterday', '5', '2h ago', '2026-13-45']) {
      assert.throws(() => readFilter({ since: text }, [], NOW), /^SluiceError: --since is "/);
    }
  });

  it('reads errors as text, or as a pattern between slashes', () => {
    assert.equal(readFilter({ error: 'a/b' }, [], NOW).error, 'a/b');
    assert.deepEqual(readFilter({ error: '/a.b/gi' }, [], NOW).error, /a.b/i);
    assert.throws(() => readFilter({ error: '/(/' }, [], NOW), { code: 'INVALID_OPTIONS' });
  });
});

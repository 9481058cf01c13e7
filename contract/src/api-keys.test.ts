import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { areScopes, digestOfApiKey, newApiKey, parseApiKeys } from './api-keys.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const SECRET = 'sluice_not-to-be-shown';

describe('parseApiKeys', () => {
  it('reads a key a line, with comments, tabs, empty lines and line ends of Windows', () => {
    const text = `# who: whom to ask\r\n\r\nshop.web  mail.send,default\t${A}\r\n  ops * ${B.toUpperCase()}  `;
    assert.deepEqual(parseApiKeys(text), [
      { name: 'shop.web', scopes: ['mail.send', 'default'], digest: A },
      { name: 'ops', scopes: '*', digest: B },
    ]);
  });

  for (const [what, text, reason] of [
    ['an empty file', '', /^there is no key in it$/],
    ['nothing but comments', '# none\n\n', /^there is no key in it$/],
    [
      'a key instead of a line',
      SECRET,
      /^line 1 has 1 fields; allowed: <name> <scopes> <sha256 hex of the key>$/,
    ],
    ['a key instead of its digest', `# x\na * ${SECRET}`, /^line 2 has a third field that is no SHA-256/],
    [
      'a digest cut short',
      `a * ${A.slice(1)}`,
      /^line 1 has a third field that is no SHA-256 in 64 hex digits$/,
    ],
    ['a comment at the end of a line', `a * ${A} # mine`, /^line 1 has 5 fields/],
    ['a space between scopes', `a x, y ${A}`, /^line 1 has 4 fields/],
    ['scopes with nothing between commas', `a x,,y ${A}`, /^line 1 has scopes that are neither/],
    ['a star among scopes', `a x,* ${A}`, /^line 1 has scopes that are neither/],
    ['a name with other characters', `${SECRET}/ * ${A}`, /^line 1 has a name that is not 1 to 64 letters/],
    ['a name twice', `a * ${A}\n\na * ${B}`, /^line 3 has the name of line 1$/],
    ['a key twice', `a x ${A}\nb y ${A.toUpperCase()}`, /^line 2 has the digest of line 1$/],
  ] as const) {
    it(`refuses ${what}, and shows nothing of it`, () => {
      assert.throws(
        () => parseApiKeys(text),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'INVALID_OPTIONS');
          assert.match(error.message, reason);
          assert.ok(!error.message.includes('not-to-be-shown'));
          return true;
        },
      );
    });
  }

  it('takes 10,000 keys and no more', () => {
    const lines = Array.from({ length: 10_001 }, (_, i) => `k${i} * ${String(i).padStart(64, '0')}`);
    assert.equal(parseApiKeys(lines.slice(1).join('\n')).length, 10_000);
    assert.throws(() => parseApiKeys(lines.join('\n')), { message: /^line 10001 is one more than/ });
  });
});

describe('areScopes', () => {
  it('takes a star, or names of task types', () => {
    for (const text of ['*', 'default', 'mail.send', 'a,b,default'])
      assert.equal(areScopes(text), true, text);
    for (const text of ['', ',', 'a,', '*,a', 'a b', 'ä', '"', 'x'.repeat(65)]) {
      assert.equal(areScopes(text), false, text);
    }
  });
});

describe('newApiKey', () => {
  it('is a new one each time, and can stand in a header', () => {
    const keys = new Set(Array.from({ length: 100 }, newApiKey));
    assert.equal(keys.size, 100);
    for (const key of keys) assert.match(key, /^sluice_[A-Za-z0-9_-]{43}$/);
  });
});

describe('digestOfApiKey', () => {
  it('is what sha256sum says', () => {
    assert.equal(digestOfApiKey('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

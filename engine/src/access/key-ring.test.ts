import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOfApiKey } from '@sluice/contract';
import { KeyRing } from './key-ring.js';

const ring = new KeyRing([
  { name: 'shop', scopes: ['mail.send', 'default'], digest: digestOfApiKey('shop-key') },
  { name: 'ops', scopes: '*', digest: digestOfApiKey('ops-key') },
]);

const refusalOf = (headers: Record<string, string>, scope?: string) =>
  ring.refusal({ getHeader: (name) => headers[String(name)] ?? '' }, scope);
const codeOf = (headers: Record<string, string>, scope?: string) => refusalOf(headers, scope)?.code;

describe('KeyRing', () => {
  for (const authorization of ['Bearer shop-key', 'bearer shop-key', 'BEARER   shop-key ']) {
    it(`takes "${authorization}"`, () => {
      assert.equal(codeOf({ authorization }, 'mail.send'), undefined);
    });
  }

  it('takes X-API-Key, beside an Authorization of another scheme too', () => {
    assert.equal(codeOf({ 'x-api-key': 'shop-key' }, 'default'), undefined);
    assert.equal(codeOf({ 'x-api-key': 'shop-key', authorization: 'Basic eDp5' }, 'default'), undefined);
  });

  it('takes a key for its scopes only, and one with * for all', () => {
    assert.equal(codeOf({ 'x-api-key': 'shop-key' }, 'report'), 'FORBIDDEN');
    assert.equal(codeOf({ 'x-api-key': 'ops-key' }, 'report'), undefined);
    assert.equal(codeOf({ 'x-api-key': 'shop-key' }), undefined);
  });

  for (const [what, headers] of [
    ['no header', {}],
    ['an empty key', { 'x-api-key': '' }],
    ['Bearer without a key', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: 'Basic shop-key' }],
    ['a key without its scheme', { authorization: 'shop-key' }],
    ['an unknown key', { 'x-api-key': 'shop-kez' }],
    ['the digest for the key', { 'x-api-key': digestOfApiKey('shop-key') }],
    ['a wrong Bearer beside a right X-API-Key', { authorization: 'Bearer x', 'x-api-key': 'shop-key' }],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.equal(codeOf(headers, 'default'), 'UNAUTHORIZED');
    });
  }

  it('says in WWW-Authenticate what RFC 6750 asks for, and never the key', () => {
    const challengeOf = (headers: Record<string, string>) => refusalOf(headers, 'report')?.headers;
    assert.deepEqual(challengeOf({}), [['WWW-Authenticate', 'Bearer']]);
    assert.deepEqual(challengeOf({ 'x-api-key': 'wrong' }), [
      ['WWW-Authenticate', 'Bearer error="invalid_token"'],
    ]);
    assert.deepEqual(challengeOf({ 'x-api-key': 'shop-key' }), [
      ['WWW-Authenticate', 'Bearer error="insufficient_scope", scope="report"'],
    ]);
    for (const key of ['shop-key', 'wrong-key']) {
      assert.ok(!JSON.stringify(refusalOf({ 'x-api-key': key }, 'report')).includes(key));
    }
  });
});

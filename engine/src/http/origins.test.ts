import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseOrigins } from './origins.js';

describe('parseOrigins', () => {
  it('reads a list, with spaces or without', () => {
    const list = ['https://app.example.org', 'http://localhost:5173', 'http://[::1]:80'];
    assert.deepEqual(parseOrigins(`${list[0]}, ${list[1]}`), list.slice(0, 2));
    assert.deepEqual(parseOrigins('https://xn--bcher-kva.example'), ['https://xn--bcher-kva.example']);
    assert.deepEqual(parseOrigins('capacitor://localhost'), ['capacitor://localhost']);
  });

  it('reads a star as all, and an empty text as nothing', () => {
    assert.equal(parseOrigins(' * '), '*');
    assert.equal(parseOrigins(' '), undefined);
  });

  for (const text of [
    'https://app.example.org/',
    'https://app.example.org/path',
    'https://app.example.org:443',
    'http://app.example.org:80',
    'https://APP.example.org',
    'https://bücher.example',
    'https://me@app.example.org',
    'https://app.example.org?x',
    'https://*.example.org',
    'app.example.org',
    'null',
    'https://a.example,*',
    'https://a.example,',
    'https://a.example https://b.example',
    'https://a.example\r\nX: y',
    'https://',
    'file:///x',
    Array.from({ length: 1001 }, (_, i) => `https://a${i}.example`).join(','),
  ]) {
    it(`refuses ${JSON.stringify(text.slice(0, 60))}, which no browser would send`, () => {
      assert.equal(parseOrigins(text), 'wrong');
    });
  }
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMediaType } from './media-type.js';

describe('parseMediaType', () => {
  const json = [
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'APPLICATION/JSON',
    'Application/Json; Charset="UTF-8"',
    ' application/json ',
    '\tapplication/json\t;\tcharset=utf-8\t',
    'application/json;',
    'application/json;;; ;charset=utf-8;;',
    'application/json ; ; charset=utf-8',
    'application/json; charset="u\\tf-8"',
    'application/json; profile="a;b, \\" text/plain"; charset=utf-8',
    'application/json; q=0.5; version=1',
    'application/json; charset=utf-8; charset=utf-8',
  ];
  for (const header of json) {
    it(`takes ${JSON.stringify(header)} as JSON`, () => {
      assert.equal(parseMediaType(header), 'application/json');
    });
  }

  const msgpack = [
    'application/msgpack',
    'application/x-msgpack',
    'application/vnd.msgpack',
    'Application/X-MsgPack;',
    'application/msgpack; charset=utf-8',
    '\tapplication/vnd.msgpack ; a=b',
  ];
  for (const header of msgpack) {
    it(`takes ${JSON.stringify(header)} as msgpack`, () => {
      assert.equal(parseMediaType(header), 'application/msgpack');
    });
  }

  const refused = [
    '',
    ' ',
    'application',
    'application/',
    '/json',
    'json',
    'text/json',
    'text/plain',
    '*/*',
    'application/*',
    'application/jsonx',
    'xapplication/json',
    'application/json5',
    'application/problem+json',
    'application/ld+json',
    'application/x-ndjson',
    'application/json/',
    'application/json/json',
    'application/json text/plain',
    'application/json, text/plain',
    'text/plain, application/json',
    'application/json,application/json',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/json; charset=utf8',
    'application/json; charset="utf-8',
    'application/json; charset=utf-8"',
    'application/json; charset=',
    'application/json; charset',
    'application/json; charset =utf-8',
    'application/json; charset= utf-8',
    'application/json; charset=utf-8, text/plain',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; charset="utf-8"x',
    'application/json; a="\u0000"',
    'application/json; =b',
    'application /json',
    'application/ json',
    '\napplication/json',
    'application/json\r\n',
    'application/json\u00a0',
    'application/json\u0000',
    'applicatıon/json',
    'multipart/form-data; boundary=application/json',
    'text/plain; a="application/json"',
  ];
  for (const header of refused) {
    it(`refuses ${JSON.stringify(header)}`, () => {
      assert.equal(parseMediaType(header), undefined);
    });
  }

  it('takes time in proportion to the length of a header made to be slow', () => {
    const spaces = `application/json${' ;\t'.repeat(100_000)}`;
    assert.equal(parseMediaType(spaces), 'application/json');
    assert.equal(parseMediaType(`${spaces}x`), undefined);
    assert.equal(parseMediaType(`application/json; a="${'\\a'.repeat(50_000)}`), undefined);
  });
});

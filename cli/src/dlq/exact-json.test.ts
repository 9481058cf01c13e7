import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assign, editJson, readAssignment } from './exact-json.js';

/** What `--set` does to a payload. */
function set(text: string, ...assignments: string[]): string {
  return editJson(text, (document, parse) => {
    for (const one of assignments) {
      const assignment = readAssignment(one);
      assign(document, assignment, parse(assignment.value));
    }
    return document;
  });
}

describe('editJson', () => {
  it('keeps every number as it was written', () => {
    const text =
      '{"data":[9007199254740993,1.0,-0,1e400,0.1000000000000000055,"12","a\\"3"],"metadata":{"n":7}}';
    assert.equal(editJson(text), text);
    assert.equal(editJson('{"a":[1.0]}', undefined, 2), '{\n  "a": [\n    1.0\n  ]\n}');
  });

  it('keeps text that looks like a number, an escape or a placeholder', () => {
    const text = '{"data":"\\u0000 -1 \\\\\\"5\\" 7"}';
    assert.deepEqual(JSON.parse(editJson(text)), JSON.parse(text));
  });

  it('refuses what is no JSON', () => {
    for (const text of ['', '{', '{"a":01}', '{"a":.5}', "{'a':1}", '[1,]']) {
      assert.throws(() => editJson(text), SyntaxError, text);
    }
  });
});

describe('--set', () => {
  it('puts JSON where the path says, and text where the value is no JSON', () => {
    assert.equal(set('{"data":{"to":"x"}}', 'data.to=ada@example.org'), '{"data":{"to":"ada@example.org"}}');
    assert.equal(set('{"data":{"n":1}}', 'data.n=9007199254740993'), '{"data":{"n":9007199254740993}}');
    assert.equal(set('{"data":{"a":[1,2]}}', 'data.a.1={"b":[]}'), '{"data":{"a":[1,{"b":[]}]}}');
    assert.equal(set('{"data":{"a":[1]}}', 'data.a.1=2'), '{"data":{"a":[1,2]}}');
    assert.equal(set('{"data":1}', 'data=null'), '{"data":null}');
    assert.equal(set('{"data":{}}', 'data.new=a=b'), '{"data":{"new":"a=b"}}');
    assert.equal(set('{"data":{}}', 'data.text="7"'), '{"data":{"text":"7"}}');
  });

  it('reads JSON Pointers, for keys with dots and slashes', () => {
    assert.equal(set('{"data":{"a.b":{"c/d":1}}}', '/data/a.b/c~1d=2'), '{"data":{"a.b":{"c/d":2}}}');
  });

  it('refuses paths that lead nowhere, and says what is there', () => {
    for (const [assignment, complaint] of [
      ['data.usr.id=1', /no place "usr" to put it; there is: user/],
      ['data.user.id.x=1', /no place "x" to put it; that is no object/],
      ['data.list.5=1', /no place "5"/],
      ['data.list.x=1', /no place "x"/],
    ] as const) {
      assert.throws(() => set('{"data":{"user":{"id":1},"list":[1]}}', assignment), complaint);
    }
  });

  it('refuses what is no assignment to a payload', () => {
    for (const text of ['data', '=1', 'payload.x=1', 'data.__proto__.x=1', 'data.constructor=1']) {
      assert.throws(() => readAssignment(text), { code: 'INVALID_OPTIONS' }, text);
    }
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SluiceError } from '@sluice/contract';
import { internalErrorFields, taskError, withoutCredentials } from './error-fields.js';

describe('taskError', () => {
  it('is the class of the error, and nothing that does not look like one', () => {
    assert.equal(taskError('NotFound: no account for anna@example.org', 'names'), 'NotFound');
    assert.equal(taskError('anna@example.org: no account', 'names'), 'Error');
    assert.equal(taskError('', 'names'), 'Error');
    assert.equal(taskError('NotFound: anna', 'messages'), 'NotFound: anna');
  });
});

describe('internalErrorFields', () => {
  it('leaves out what V8 quotes', () => {
    let thrown: unknown;
    try {
      JSON.parse('{"name": "Anna", }');
    } catch (error) {
      thrown = error;
    }
    const fields = internalErrorFields(thrown, 'names');
    assert.equal(fields.error, 'SyntaxError');
    assert.doesNotMatch(JSON.stringify(fields), /Anna/);
  });

  it('keeps no line of a message in the stack, however many it has', () => {
    const error = new Error('one\n    two of Anna\nthree of Anna');
    assert.doesNotMatch(internalErrorFields(error, 'names').stack, /Anna/);
  });

  it('says what Sluice, Redis and the system say', () => {
    const redis = Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' });
    const system = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
    const ours = new SluiceError('PORT_IN_USE', 'cannot listen');
    for (const error of [redis, system, ours]) {
      assert.equal(internalErrorFields(error, 'names').reason, error.message);
    }
    assert.equal(internalErrorFields(ours, 'names').code, 'PORT_IN_USE');
  });

  it('survives whatever was thrown', () => {
    for (const thrown of [null, undefined, 7, 'text', Symbol('x'), { code: 3 }, Object.create(null)]) {
      assert.equal(typeof internalErrorFields(thrown, 'messages').error, 'string');
    }
  });
});

describe('withoutCredentials', () => {
  it('hides user and password of every URL', () => {
    assert.equal(
      withoutCredentials('redis://:pa@ss@h:1/0 and https://u:p@h/x not mail@example.org'),
      'redis://***@h:1/0 and https://***@h/x not mail@example.org',
    );
  });
});

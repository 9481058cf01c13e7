import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bodyOf, typeOf } from './bodies.js';

describe('typeOf', () => {
  it('is the event that the file name begins with, if there is a schema for it', () => {
    assert.equal(typeOf('check_run.completed.with-organization.payload.json'), 'github.check_run');
    assert.equal(typeOf('push.json'), 'github.push');
    assert.equal(typeOf('star.created.json'), 'default');
    assert.equal(typeOf('pushed.json'), 'default');
  });
});

describe('bodyOf', () => {
  it('holds the file byte for byte, spaces and big numbers included', () => {
    const file = '{ "id": 90071992547409931,\n "n": 1.0 }';
    const body = bodyOf('star.created.json', Buffer.from(file), true);
    assert.equal(body.bytes.toString(), `{"data":${file},"metadata":{"event":"star.created.json"}}`);
    assert.equal(body.path, '/tasks');
  });

  it('goes to the intake of its type, unless types are off', () => {
    assert.equal(bodyOf('push.json', Buffer.from('{}'), true).path, '/tasks/github.push');
    assert.equal(bodyOf('push.json', Buffer.from('{}'), false).path, '/tasks');
  });

  it('stays JSON whatever the file is called', () => {
    const { bytes } = bodyOf('push "1"\\.json', Buffer.from('{}'), true);
    assert.equal(JSON.parse(bytes.toString()).metadata.event, 'push "1"\\.json');
  });
});

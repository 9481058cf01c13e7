import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestQueue, withoutControls } from './test-queue.js';

const PROMISES = 'torture/test/dist/promises.test.js';
const CONTROLS = 'torture/test/dist/controls.test.js';
const CRASH = 'test/dist/crash.test.js';
const UNIT = 'contract/dist/keys.test.js';

describe('TestQueue', () => {
  it('begins with what takes longest', () => {
    const queue = new TestQueue([UNIT, CRASH, PROMISES]);
    assert.deepEqual(
      [queue.take(), queue.take(), queue.take(), queue.take()],
      [PROMISES, CRASH, UNIT, undefined],
    );
  });

  it('keeps the files of fault scenarios from running beside each other', () => {
    const queue = new TestQueue([CONTROLS, UNIT, PROMISES]);
    assert.deepEqual([queue.take(), queue.take(), queue.take()], [CONTROLS, UNIT, undefined]);
    queue.finished(CONTROLS);
    assert.equal(queue.take(), PROMISES);
  });

  it('has something to run beside the others as long as there is a file that mostly waits', () => {
    const waiting = 'consumers/test/dist/cron.test.js';
    const queue = new TestQueue([UNIT, waiting, CRASH]);
    assert.deepEqual(
      [queue.take('mostly-waiting'), queue.take('mostly-waiting'), queue.take()],
      [waiting, undefined, CRASH],
    );
  });
});

describe('withoutControls', () => {
  it('leaves out the files of negative controls, and no other', () => {
    const files = [
      CONTROLS,
      'test/dist/crash-controls.test.js',
      PROMISES,
      'engine/test/dist/uncontrols.test.js',
    ];
    assert.deepEqual(withoutControls(files), [PROMISES, 'engine/test/dist/uncontrols.test.js']);
  });
});

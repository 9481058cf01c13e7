import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineTaskType } from '@sluice/contract';
import { Type } from 'typebox';
import { defineHandler } from './handler.js';

const resize = defineTaskType(
  'resize',
  Type.Object({ url: Type.String(), width: Type.Optional(Type.Integer()) }),
);

test('a handler gets the data of its task type, typed', () => {
  const handler = defineHandler(resize, async (task, { signal }) => {
    const url: string = task.data.url;
    const width: number | undefined = task.data.width;
    // @ts-expect-error there is no such field
    const height: unknown = task.data.height;
    return [url, width, height, signal.aborted, task.id, task.attempt];
  });
  assert.equal(handler.taskType, 'resize');
  assert.equal(handler.schema, resize.data);
});

test('the handler of tasks without a type gets data it has to look at', () => {
  const handler = defineHandler('default', (task) => {
    // @ts-expect-error unknown data has no fields
    return task.data.url;
  });
  assert.equal(handler.taskType, 'default');
  assert.equal(handler.schema, undefined);
});

test('a policy that cannot be meant is refused, all of it at once', () => {
  assert.throws(
    () => defineHandler(resize, () => {}, { maxAttempts: 0, concurrency: 1.5, timeoutSeconds: -1 }),
    {
      code: 'INVALID_OPTIONS',
      message: /"resize".*maxAttempts is 0.*concurrency is 1\.5.*timeoutSeconds is -1/,
    },
  );
});

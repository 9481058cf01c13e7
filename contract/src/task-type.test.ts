import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Type } from 'typebox';
import { type DataOf, defineTaskType } from './task-type.js';

describe('defineTaskType', () => {
  const data = Type.Object({ id: Type.Integer(), tag: Type.Optional(Type.String()) });

  it('gives handlers the type of the schema', () => {
    const order = defineTaskType('order', data);
    const typed: DataOf<typeof order> = { id: 1, tag: 'new' };
    assert.equal(order.name, 'order');
    assert.equal(order.data, data);
    assert.equal(typed.id, 1);
  });

  for (const name of ['a', '7', 'pull_request.opened', 'A-b_c.d', 'x'.repeat(64)]) {
    it(`takes the name ${name}`, () => {
      assert.equal(defineTaskType(name, data).name, name);
    });
  }

  for (const name of ['', '.a', '-a', '_a', 'a:b', 'a/b', 'a b', 'ä', 'a\n', '{a}', 'x'.repeat(65)]) {
    it(`refuses the name ${JSON.stringify(name)}, saying what is allowed`, () => {
      assert.throws(() => defineTaskType(name, data), {
        code: 'INVALID_OPTIONS',
        message: `task type ${JSON.stringify(name)} is not a valid name; allowed: 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit`,
      });
    });
  }

  for (const name of ['default', 'dlq', 'batch']) {
    it(`refuses the name ${name}, which is taken`, () => {
      assert.throws(() => defineTaskType(name, data), {
        code: 'INVALID_OPTIONS',
        message: `task type "${name}" is taken; allowed: any name but default, dlq, batch`,
      });
    });
  }
});

import { defineTaskType } from '@sluice/contract';
import { Type } from 'typebox';

/** Throws what it was given, as code with a fault does. */
function fail(data: unknown): never {
  throw new TypeError(`cannot read ${JSON.stringify(data)}`);
}

function failLater(data: unknown): boolean {
  setImmediate(() => fail(data));
  return true;
}

/** Task types whose schemas fail: while they check, or when nobody can catch it any more. */
export default [
  defineTaskType('faulty', Type.Refine(Type.Unknown(), fail)),
  defineTaskType('fatal', Type.Refine(Type.Unknown(), failLater)),
];

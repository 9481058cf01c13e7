import { type ContentType, SluiceError } from '@sluice/contract';
import { decodeBody } from '../body/decode.js';
import { isRefusalCode, type Refusal } from '../http/answers.js';
import { type Due, dueOf } from '../intake/due.js';
import type { BodyValidator, Envelope } from './validator.js';

/** What there is to store of a task. Reused: valid until the next call of `readTask`. */
export const taskRead: { payload: Buffer; due: Due | undefined } = {
  payload: Buffer.alloc(0),
  due: undefined,
};

/** Decodes and validates the envelope of one task. Returns why it is refused; nothing if it is not, and `taskRead` holds it. */
export function readTask(
  body: Buffer,
  contentType: ContentType,
  validator: BodyValidator,
  maxDepth: number,
): Refusal | undefined {
  try {
    const decoded = decodeBody(body, contentType, maxDepth);
    if (!validator.check(decoded.value)) {
      const details = validator.faults(decoded.value);
      return { code: 'VALIDATION_ERROR', message: 'the body does not have the form asked for', details };
    }
    taskRead.payload = decoded.payload;
    taskRead.due = dueOf(decoded.value as Envelope); // the validator let it through
    return undefined;
  } catch (error) {
    if (!(error instanceof SluiceError && isRefusalCode(error.code))) throw error;
    return { code: error.code, message: error.message, details: error.details };
  }
}

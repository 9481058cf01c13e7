import type { HttpResponse } from 'uWebSockets.js';
import { TASK_ID_LENGTH } from '@sluice/contract';
import { NAME_LENGTH } from '../append/task-names.js';
import { WordCopier } from '../append/word-copier.js';
import { type Refusal, type RefusalCode, retryAfterSecondsOf, statusOf } from '../http/answers.js';
import type { Asked } from '../http/asked.js';
import { writeOriginLines } from '../http/origin-lines.js';
import type { BatchOutcome, RefusedItem } from './batch-outcome.js';

/** Refused tasks of one batch whose faults are told in detail: each may have 20 of them. */
const DETAILED_ITEMS = 100;

/** What an answer says of a batch beside what became of its tasks. */
export interface AnsweredBatch {
  /** Of its tasks; that of a refused one need not be there. */
  readonly names: Uint8Array;
  readonly asked: Asked;
  /** Its span, for a client that has sent a traceparent. */
  readonly traceparent: string | undefined;
}

/** What a batch was answered with: the status line, and the code of the error that all of its tasks have in common. */
export interface BatchAnswer {
  readonly status: string;
  readonly code: RefusalCode | undefined;
}

/**
 * Answers a batch: 202 when all tasks were accepted, 207 when some were, else the status of their common error.
 *
 * ```
 * {"accepted":2,"refused":1,"ack":"appended","task_ids":["…",null,"…"],
 *  "errors":[{"index":1,"error":{"code":"…","message":"…","details":[…]}}],"delayed":[{"index":2,"run_at":"…"}]}
 * ```
 *
 * `task_ids` has an entry for each task, in their order; `delayed` is there when one is; `error`, as in all answers with
 * such a status, when none was accepted. An accepted task takes 39 bytes, a refused one some 150.
 *
 * @returns what was answered
 */
export function answerBatch(
  response: HttpResponse,
  outcome: BatchOutcome,
  { names, asked, traceparent }: AnsweredBatch,
  close: boolean,
): BatchAnswer {
  const { count, accepted, refused, delayed } = outcome;
  const { level: ack, isPreferred } = asked;
  refused.sort((a, b) => a.index - b.index);
  const error = accepted === 0 && count > 0 ? commonRefusal(refused) : undefined;
  const status = error !== undefined ? statusOf(error.code) : statusOfSome(refused.length);
  response.writeStatus(status);
  response.writeHeader('Content-Type', 'application/json');
  writeOriginLines(response);
  if (traceparent !== undefined) response.writeHeader('traceparent', traceparent);
  if (isPreferred && error === undefined) response.writeHeader('Preference-Applied', `ack=${ack}`);
  const retryAfter = error === undefined ? undefined : retryAfterSecondsOf(error);
  if (retryAfter !== undefined) response.writeHeader('Retry-After', retryAfter);
  const before = { error, accepted, refused: refused.length, ack };
  const errors = refused.map(({ index, refusal }, n) => ({
    index,
    error: { ...bare(refusal), ...(n < DETAILED_ITEMS && { details: refusal.details }) },
  }));
  const runAts = delayed.map(({ index, dueAt }) => ({ index, run_at: new Date(dueAt).toISOString() }));
  const after = { errors, delayed: runAts.length === 0 ? undefined : runAts };
  const head = `${JSON.stringify(before).slice(0, -1)},"task_ids":`;
  response.end(whole(head, taskIds(outcome, names), `,${JSON.stringify(after).slice(1)}`), close);
  return { status, code: error?.code };
}

function statusOfSome(refused: number): string {
  return refused === 0 ? '202 Accepted' : '207 Multi-Status';
}

/**
 * Why a batch was refused of which no task was accepted. When the reasons differ: that of a task which it is worth to
 * send again, if there is one, else that the tasks are not valid.
 */
function commonRefusal(refused: readonly RefusedItem[]): { code: RefusalCode; message: string } {
  const codes = new Set(refused.map(({ refusal }) => refusal.code));
  const statuses = new Set([...codes].map(statusOf));
  const [first = 'INTERNAL_ERROR'] = codes;
  const code =
    [...codes].find((one) => statusOf(one).startsWith('503')) ??
    (statuses.size === 1 ? first : 'VALIDATION_ERROR');
  return { code, message: `none of the ${refused.length} tasks was accepted; errors says why, for each` };
}

function bare({ code, message }: Refusal): { code: RefusalCode; message: string } {
  return { code, message };
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const NULL = Buffer.from('null');
const IDS = new WordCopier();

/** The ids of all tasks as a JSON array; `null` for refused ones. */
function taskIds(outcome: BatchOutcome, names: Uint8Array): Buffer {
  const { count } = outcome;
  const list = Buffer.allocUnsafe(2 + count * (TASK_ID_LENGTH + 3));
  let at = 0;
  list[at++] = 0x5b;
  for (let index = 0; index < count; index++) {
    if (index > 0) list[at++] = COMMA;
    if (outcome.isRefused(index)) {
      list.set(NULL, at);
      at += NULL.length;
      continue;
    }
    list[at++] = QUOTE;
    IDS.copy(names, index * NAME_LENGTH, TASK_ID_LENGTH, list, at);
    at += TASK_ID_LENGTH;
    list[at++] = QUOTE;
  }
  list[at++] = 0x5d;
  return list.subarray(0, at);
}

function whole(head: string, ids: Buffer, tail: string): Buffer {
  return Buffer.concat([Buffer.from(head), ids, Buffer.from(tail)]);
}

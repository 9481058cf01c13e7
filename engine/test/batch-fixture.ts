import { pack } from 'msgpackr';

/** What a batch was answered. */
export interface BatchReply {
  status: number;
  retryAfter: string | null;
  body: {
    accepted: number;
    refused: number;
    ack: string;
    task_ids: (string | null)[];
    errors: { index: number; error: { code: string; message: string; details?: { path: string }[] } }[];
    delayed?: { index: number; run_at: string }[];
    error?: { code: string; message: string };
  };
}

export async function postBatch(
  url: string,
  body: string | Buffer,
  contentType = 'application/json',
): Promise<BatchReply> {
  const response = await fetch(url, { method: 'POST', body, headers: { 'Content-Type': contentType } });
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as BatchReply['body'],
  };
}

/** The forms a batch can have, and how envelopes are put into each. */
export const FORMS: readonly (readonly [
  mediaType: string,
  contentType: string,
  encode: (envelopes: readonly unknown[]) => Buffer,
])[] = [
  ['application/json', 'application/json', (envelopes) => Buffer.from(JSON.stringify(envelopes))],
  ['application/x-ndjson', 'application/json', (envelopes) => Buffer.from(lines(envelopes))],
  ['application/jsonl', 'application/json', (envelopes) => Buffer.from(`\n${lines(envelopes)}\r\n \n`)],
  ['application/msgpack', 'application/msgpack', (envelopes) => pack(envelopes)],
];

function lines(envelopes: readonly unknown[]): string {
  return envelopes.map((envelope) => JSON.stringify(envelope)).join('\n');
}

/** The ids of the tasks that were accepted. */
export function acceptedIds({ body }: BatchReply): string[] {
  return body.task_ids.filter((id) => id !== null);
}

/** The codes of the errors in their order, with the index of each task. */
export function codesOf({ body }: BatchReply): [number, string][] {
  return body.errors.map(({ index, error }) => [index, error.code]);
}

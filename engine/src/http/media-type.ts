import type { ContentType } from '@sluice/contract';

/**
 * The encoding a Content-Type header announces, or nothing when it is not one we take.
 *
 * Taken are `application/json` and `application/msgpack`, the latter also as `application/x-msgpack` and
 * `application/vnd.msgpack`; in any case, with any parameters that keep to RFC 9110 (section 8.3.1), of which
 * `charset` must be `utf-8`. `+json` types are refused: each is a format of its own, whose rules we would
 * accept without checking them.
 */
export function parseMediaType(header: string): ContentType | undefined {
  switch (header) {
    // What nearly every client sends: 0.003 µs here, 0.3 below.
    case 'application/json':
    case 'application/json; charset=utf-8':
    case 'application/json;charset=utf-8':
    case 'application/json;charset=UTF-8':
      return 'application/json';
    case 'application/msgpack':
      return 'application/msgpack';
    default:
      return parse(header, contentTypeOf);
  }
}

/** The form of a batch. */
export type BatchFormat = ContentType | 'application/x-ndjson';

/**
 * The form of a batch that a Content-Type header announces, or nothing when it is not one we take: what a single task
 * may come as, and `application/x-ndjson`, also called `application/jsonl`, where each line is a task.
 */
export function parseBatchMediaType(header: string): BatchFormat | undefined {
  return parse(header, batchFormatOf);
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"((?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\uffff]|\\\\[\\t\\x20-\\x7e\\x80-\\uffff])*)"';
const TYPE = new RegExp(`[\\t ]*(${TOKEN}/${TOKEN})[\\t ]*`, 'y');
const PARAMETER = new RegExp(`;[\\t ]*(?:(${TOKEN})=(?:(${TOKEN})|${QUOTED})[\\t ]*)?`, 'y');

function parse<Form>(header: string, formOf: (type: string) => Form | undefined): Form | undefined {
  TYPE.lastIndex = 0;
  const type = TYPE.exec(header)?.[1];
  const form = type === undefined ? undefined : formOf(type.toLowerCase());
  if (form === undefined) return undefined;

  PARAMETER.lastIndex = TYPE.lastIndex;
  while (PARAMETER.lastIndex < header.length) {
    const parameter = PARAMETER.exec(header);
    if (parameter === null) return undefined;
    const [, name, token, quoted] = parameter;
    if (name?.toLowerCase() === 'charset') {
      const charset = token ?? quoted?.replace(/\\(.)/g, '$1');
      if (charset?.toLowerCase() !== 'utf-8') return undefined;
    }
  }
  return form;
}

function contentTypeOf(type: string): ContentType | undefined {
  switch (type) {
    case 'application/json':
      return 'application/json';
    case 'application/msgpack':
    case 'application/x-msgpack':
    case 'application/vnd.msgpack':
      return 'application/msgpack';
    default:
      return undefined;
  }
}

function batchFormatOf(type: string): BatchFormat | undefined {
  return type === 'application/x-ndjson' || type === 'application/jsonl'
    ? 'application/x-ndjson'
    : contentTypeOf(type);
}

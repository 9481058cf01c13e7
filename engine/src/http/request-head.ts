import type { HttpRequest } from 'uWebSockets.js';
import { type ContentType, isTraceparent, traceStateOf } from '@sluice/contract';
import { type AskedHeaders, withIdempotencyKey, withPrefer } from './asked.js';
import { parseMediaType } from './media-type.js';

/** What the head of a request says, as far as the intake needs to know. Reused: valid until the next call. */
export interface RequestHead {
  /** The media type as it came; the empty string when the request states none. */
  mediaType: string;
  contentType: ContentType | undefined;
  /** -1 when the request states none. */
  contentLength: number;
  chunked: boolean;
  /** Whether the body is compressed, or otherwise not what its media type says. */
  encoded: boolean;
  /** The traceparent sent along, if it is a valid one. */
  traceContext: string | undefined;
  /** The tracestate sent along with that, if it may be passed on. */
  traceState: string | undefined;
  /** What it asks for beyond being taken in; undefined when that is nothing. */
  asked: AskedHeaders | undefined;
  /** Why the end of this request cannot be told for certain; the connection must be closed then. */
  ambiguity: string | undefined;
}

const head: RequestHead = {
  mediaType: '',
  contentType: undefined,
  contentLength: -1,
  chunked: false,
  encoded: false,
  traceContext: undefined,
  traceState: undefined,
  asked: undefined,
  ambiguity: undefined,
};

let traceparent = '';
let tracestate = '';
let hosts = 0;

/**
 * Reads all headers in one pass, since only counting them shows what uWebSockets.js lets through: two Host or
 * Content-Length headers, or a Transfer-Encoding that is not a lone `chunked` (RFC 9112, sections 3.2 and 6.3).
 * A proxy in front that reads such a request differently could be made to smuggle one past it.
 */
export function readHead(request: HttpRequest): RequestHead {
  head.contentLength = -1;
  head.chunked = false;
  head.encoded = false;
  head.asked = undefined;
  head.ambiguity = undefined;
  head.mediaType = '';
  traceparent = '';
  tracestate = '';
  hosts = 0;
  request.forEach(readHeader);
  if (hosts !== 1) {
    head.ambiguity ??= `it has ${hosts} Host headers; allowed: exactly one`;
  } else if (head.chunked && head.contentLength !== -1) {
    head.ambiguity ??= 'it has both Transfer-Encoding and Content-Length; allowed: one of them';
  }
  head.contentType = parseMediaType(head.mediaType);
  head.traceContext = traceparent !== '' && isTraceparent(traceparent) ? traceparent : undefined;
  // Without a traceparent, nobody may look at it (W3C Trace Context, section 3.3).
  head.traceState =
    tracestate !== '' && head.traceContext !== undefined ? traceStateOf(tracestate) : undefined;
  return head;
}

/** By their lengths, which all differ: so each name is compared with one other at most. */
function readHeader(name: string, value: string): void {
  switch (name.length) {
    case 4:
      if (name === 'host') hosts++;
      return;
    case 6:
      if (name === 'prefer') head.asked = withPrefer(head.asked, value);
      return;
    case 10:
      if (name === 'tracestate') tracestate = tracestate === '' ? value : `${tracestate},${value}`;
      return;
    case 11:
      if (name === 'traceparent') traceparent = value;
      return;
    case 12:
      if (name === 'content-type') {
        head.mediaType = head.mediaType === '' ? value : `${head.mediaType}, ${value}`;
      }
      return;
    case 14:
      if (name === 'content-length') readContentLength(value);
      return;
    case 15:
      if (name === 'idempotency-key') head.asked = withIdempotencyKey(head.asked, value);
      return;
    case 16:
      if (name === 'content-encoding' && value !== '' && value.toLowerCase() !== 'identity')
        head.encoded = true;
      return;
    case 17:
      if (name === 'transfer-encoding') readTransferEncoding(value);
      return;
  }
}

function readContentLength(value: string): void {
  if (head.contentLength !== -1) head.ambiguity = 'it has more than one Content-Length; allowed: one';
  else {
    head.contentLength = lengthOf(value);
    if (head.contentLength === -1)
      head.ambiguity = `its Content-Length is not a number of up to ${MOST_DIGITS} digits`;
  }
}

function readTransferEncoding(value: string): void {
  if (head.chunked || value.toLowerCase() !== 'chunked') {
    head.ambiguity = 'its Transfer-Encoding is not understood; allowed: chunked, once';
  }
  head.chunked = true;
}

const MOST_DIGITS = 15;

/** The number that nothing but decimal digits stand for; -1 for anything else, or more than 15 of them. */
function lengthOf(value: string): number {
  if (value.length === 0 || value.length > MOST_DIGITS) return -1;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

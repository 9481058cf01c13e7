import type { Refusal } from './answers.js';
import type { RequestHead } from './request-head.js';

/** What a request with a body may be like. */
export interface BodyRules {
  /** Most bytes of a body. */
  readonly maxBytes: number;
  /** What a body is called when it has more, and what the limit is called. */
  readonly whatIsLarge: string;
  readonly limitName: string;
  readonly allowChunked: boolean;
  /** The media types that are taken. */
  readonly mediaTypes: string;
}

/** Why a request is refused before its body is read. */
export interface HeadFault {
  readonly refusal: Refusal;
  /** Whether its connection has to be closed. */
  readonly close: boolean;
}

/** A refused body up to this many times the limit is read and dropped; beyond, the connection is closed. */
const DISCARDED_BODY_LIMITS = 8;

/**
 * What is wrong with the head of a request that brings a body; nothing if it is in order.
 *
 * @param forbidden why whoever sends it may not; nothing if they may
 */
export function faultOfHead(
  head: RequestHead,
  forbidden: Refusal | undefined,
  isTypeTaken: boolean,
  rules: BodyRules,
): HeadFault | undefined {
  if (head.ambiguity !== undefined) return { refusal: ambiguous(head.ambiguity), close: true };
  const isTooLongToDiscard = head.contentLength > rules.maxBytes * DISCARDED_BODY_LIMITS;
  // A body in chunks may have no end.
  if (forbidden !== undefined) return { refusal: forbidden, close: head.chunked || isTooLongToDiscard };
  if (head.chunked ? !rules.allowChunked : head.contentLength === -1) {
    const message =
      'the request needs a Content-Length; chunked bodies are taken only where ALLOW_CHUNKED is set';
    return { refusal: { code: 'LENGTH_REQUIRED', message }, close: true };
  }
  if (head.contentLength > rules.maxBytes) {
    return { refusal: tooLarge(`${head.contentLength} bytes`, rules), close: isTooLongToDiscard };
  }
  if (head.encoded) return { refusal: COMPRESSED, close: head.chunked };
  if (!isTypeTaken) {
    const message = `the Content-Type is not supported, or there is not exactly one; allowed: ${rules.mediaTypes}, with no charset but utf-8`;
    return { refusal: { code: 'UNSUPPORTED_MEDIA_TYPE', message }, close: head.chunked };
  }
  return undefined;
}

/** RFC 9110, 15.5.16: Accept-Encoding tells it from a wrong media type. */
const COMPRESSED: Refusal = {
  code: 'UNSUPPORTED_MEDIA_TYPE',
  message: 'the body has a Content-Encoding; allowed: none, send it uncompressed',
  headers: [['Accept-Encoding', 'identity']],
};

/** The refusal of a request whose end cannot be told for certain. */
export function ambiguous(why: string): Refusal {
  return { code: 'BAD_REQUEST', message: `the request is ambiguous: ${why}` };
}

/** The refusal of a body that is too large. */
export function tooLarge(size: string, { maxBytes, whatIsLarge, limitName }: BodyRules): Refusal {
  const message = `${whatIsLarge} has ${size}; allowed: up to ${maxBytes} bytes (${limitName})`;
  return { code: 'PAYLOAD_TOO_LARGE', message };
}

import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { acceptedHeadWith, type Refusal } from './answers.js';
import { noteOriginLines, type OriginLines, originLinesOf, writeOriginLines } from './origin-lines.js';

const ALLOW_ORIGIN = 'Access-Control-Allow-Origin';
const VARY = ['Vary', 'Origin'] as const;
/** Headers of our answers that a page could not read otherwise. */
const EXPOSE = [
  'Access-Control-Expose-Headers',
  'Retry-After, WWW-Authenticate, Idempotency-Replayed, Preference-Applied, Location, traceparent',
] as const;

/** What a preflight is answered besides. All request headers by name: `*` would not stand for Authorization. */
const PREFLIGHT = [
  ['Access-Control-Allow-Methods', 'GET, HEAD, POST'],
  [
    'Access-Control-Allow-Headers',
    'Authorization, Content-Type, Idempotency-Key, Prefer, Traceparent, Tracestate, X-API-Key',
  ],
  // Two hours: browsers keep it no longer.
  ['Access-Control-Max-Age', '7200'],
] as const;

/**
 * Which web pages may read our answers, by the CORS protocol of the Fetch standard. There are no cookies, so that no page
 * can act for somebody by chance. What is sent back is the origin as it is configured, never bytes of a request.
 */
export class Cors {
  private readonly byOrigin: ReadonlyMap<string, OriginLines>;
  private readonly others: OriginLines;

  /** @param origins those allowed; `*` is all */
  constructor(private readonly origins: '*' | readonly string[]) {
    // Answers that depend on the origin say so, those to other origins too, or a cache would mix them up.
    this.others = linesOf(origins === '*' ? [[ALLOW_ORIGIN, '*'], EXPOSE] : [VARY]);
    this.byOrigin = new Map(
      (origins === '*' ? [] : origins).map((origin) => [
        origin,
        linesOf([[ALLOW_ORIGIN, origin], VARY, EXPOSE]),
      ]),
    );
  }

  /** Notes on an answer which origin it goes to. */
  note(response: HttpResponse, request: HttpRequest): void {
    noteOriginLines(response, this.byOrigin.get(request.getHeader('origin')) ?? this.others);
  }

  /**
   * Answers a preflight if its origin is allowed. It needs no API key: browsers send none with it.
   *
   * @returns why it is not answered, otherwise
   */
  answerPreflight(response: HttpResponse): Refusal | undefined {
    if (this.origins !== '*' && originLinesOf(response) === this.others) return ORIGIN_REFUSED;
    response.writeStatus('204 No Content');
    writeOriginLines(response);
    for (const [name, value] of PREFLIGHT) response.writeHeader(name, value);
    response.endWithoutBody();
    return undefined;
  }
}

/** Whether a request with OPTIONS asks, on behalf of a page, whether it may send another one. */
export function isPreflight(request: HttpRequest): boolean {
  return request.getHeader('origin') !== '' && request.getHeader('access-control-request-method') !== '';
}

function linesOf(headers: OriginLines['headers']): OriginLines {
  return { headers, acceptedHead: acceptedHeadWith(headers) };
}

const ORIGIN_REFUSED: Refusal = {
  code: 'FORBIDDEN',
  message: 'pages of this origin may not send requests here',
};

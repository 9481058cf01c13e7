import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { createHash } from 'node:crypto';
import { writeOriginLines } from './origin-lines.js';

/** An answer that is always the same: made once, sent as often as it is asked for. */
export class StoredAnswer {
  private readonly headers: readonly (readonly [name: string, value: string])[];
  private readonly etag: string;

  constructor(
    contentType: string,
    private readonly body: Buffer,
    more: readonly (readonly [name: string, value: string])[] = [],
  ) {
    this.etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    this.headers = [
      ['Content-Type', contentType],
      ['X-Content-Type-Options', 'nosniff'],
      // Kept, but asked for each time: a new version of the service has new ones under the same path.
      ['Cache-Control', 'no-cache'],
      ['ETag', this.etag],
      ...more,
    ];
  }

  /** Answers 200, or 304 to a client that has it already (RFC 9110, 13.1.2). */
  answer(response: HttpResponse, request: HttpRequest, withBody: boolean): void {
    const isKnown = this.isAmong(request.getHeader('if-none-match'));
    response.writeStatus(isKnown ? '304 Not Modified' : '200 OK');
    for (const [name, value] of this.headers) response.writeHeader(name, value);
    writeOriginLines(response);
    if (isKnown) response.endWithoutBody();
    else if (!withBody) response.writeHeader('Content-Length', String(this.body.length)).endWithoutBody();
    else this.sendBody(response);
  }

  /**
   * Sends no more than the client takes. With `end`, uWebSockets.js would hold all of what is not taken yet, and whoever
   * asks a thousand times over one connection and reads nothing could fill the memory; so, what comes before the rest
   * of an answer was taken ends the connection.
   */
  private sendBody(response: HttpResponse): void {
    const { body } = this;
    const [, isSent] = response.tryEnd(body, body.length);
    if (isSent) return;
    response.onAborted(() => {});
    response.onWritable((sent) => response.tryEnd(body.subarray(sent), body.length)[0]);
  }

  private isAmong(tags: string): boolean {
    if (tags === '') return false;
    return tags.split(',').some((tag) => {
      const trimmed = tag.trim();
      return trimmed === '*' || trimmed.replace(/^W\//, '') === this.etag;
    });
  }
}

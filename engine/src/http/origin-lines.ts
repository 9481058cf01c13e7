import type { HttpResponse } from 'uWebSockets.js';

/** What an answer says to the web page that asked for it. */
export interface OriginLines {
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Beginning of a 202, header lines included, as it is sent. */
  readonly acceptedHead: ArrayBuffer;
}

/** uWebSockets.js makes an object per answer, and lets one put things there. */
const LINES = Symbol('origin lines');
type Noted = { [LINES]?: OriginLines };

/** Notes on an answer what it says to the origin it goes to: it may be given long after its request is gone. */
export function noteOriginLines(response: HttpResponse, lines: OriginLines): void {
  (response as Noted)[LINES] = lines;
}

/** Writes what was noted on an answer, after its status. */
export function writeOriginLines(response: HttpResponse): void {
  for (const [name, value] of originLinesOf(response)?.headers ?? []) response.writeHeader(name, value);
}

/** What was noted on an answer; nothing where CORS is off. */
export function originLinesOf(response: HttpResponse): OriginLines | undefined {
  return (response as Noted)[LINES];
}

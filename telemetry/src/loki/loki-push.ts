import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** What Loki made of a push. */
export type PushResult =
  | { readonly kind: 'taken' }
  /** It would say the same again. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It may take it later. */
  | { readonly kind: 'failed'; readonly reason: string };

const PUSH_PATH = '/loki/api/v1/push';
const TOO_MANY_REQUESTS = 429;

/** Sends the bodies of pushes to one endpoint. */
export class LokiPusher {
  private readonly url: URL;
  private readonly headers: Record<string, string>;
  private current: ClientRequest | undefined;

  /** @param endpoint as in `LOKI_ENDPOINT` */
  constructor(
    endpoint: string,
    private readonly timeoutMs: number,
  ) {
    this.url = new URL(endpoint);
    if (this.url.pathname === '/') this.url.pathname = PUSH_PATH;
    this.headers = { 'Content-Type': 'application/json', ...basicAuthOf(this.url) };
  }

  /** Resolves within the timeout, whatever Loki does. Never rejects. */
  push(body: string): Promise<PushResult> {
    return new Promise((resolve) => {
      const { protocol } = this.url;
      const send = protocol === 'https:' ? requestHttps : requestHttp;
      const bytes = Buffer.from(body);
      // A timer of our own: that of the socket starts anew with every byte of an answer that never ends.
      const limit = setTimeout(() => request.destroy(new Error('timed out')), this.timeoutMs);
      const request = send(this.url, {
        method: 'POST',
        headers: { ...this.headers, 'Content-Length': bytes.length },
      });
      this.current = request;
      request.once('response', (response) => {
        // The head has said it all; what it says besides of a refusal may quote the lines.
        resolve(resultOf(response.statusCode ?? 0));
        response.on('error', () => {});
        response.once('close', () => clearTimeout(limit));
        response.resume();
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(limit);
        resolve({ kind: 'failed', reason: error.code ?? error.message });
      });
      request.end(bytes);
    });
  }

  /** Ends a push that is under way: it counts as failed. */
  abort(): void {
    this.current?.destroy(new Error('shut down'));
  }
}

function resultOf(status: number): PushResult {
  if (status >= 200 && status < 300) return { kind: 'taken' };
  const reason = `HTTP ${status}`;
  return status >= 400 && status < 500 && status !== TOO_MANY_REQUESTS
    ? { kind: 'refused', reason }
    : { kind: 'failed', reason };
}

/** The credentials of a URL as a header; Node would send them too, but nobody would see that it does. */
function basicAuthOf(url: URL): Record<string, string> {
  if (url.username === '' && url.password === '') return {};
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

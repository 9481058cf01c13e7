import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Body } from './bodies.js';

/** What became of one request. */
export type Answer =
  | { kind: 'accepted'; taskId: string; ms: number }
  /** Answered with anything but 202: nothing was promised. */
  | { kind: 'refused'; status: number; code: string; retryAfterMs: number | undefined }
  /** Sent, or sent in part, and no answer came: the task may be in the stream or not. */
  | { kind: 'unconfirmed'; reason: string }
  /** No connection, so nothing was sent. */
  | { kind: 'unreachable'; reason: string };

/** Errors of a connection that never came about. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN']);

/** Sends bodies to the intake over a fixed number of keep-alive connections. */
export class IntakeClient {
  readonly #agent: HttpAgent;
  readonly #request: typeof httpRequest;
  readonly #target: { hostname: string; port: string; path: string };
  readonly #timeoutMs: number;

  constructor(url: string, connections: number, timeoutMs: number) {
    const { protocol, hostname, port, pathname } = new URL(url);
    const secure = protocol === 'https:';
    const agentOptions = { keepAlive: true, maxSockets: connections };
    this.#agent = secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
    this.#request = secure ? httpsRequest : httpRequest;
    // Node wants an IPv6 address without the brackets it has in a URL.
    this.#target = { hostname: hostname.replace(/^\[|\]$/g, ''), port, path: pathname.replace(/\/$/, '') };
    this.#timeoutMs = timeoutMs;
  }

  /** Sends one body, once. Never rejects: everything that can happen to a request is an answer. */
  send(body: Body): Promise<Answer> {
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const request = this.#request({
        agent: this.#agent,
        method: 'POST',
        hostname: this.#target.hostname,
        port: this.#target.port,
        path: this.#target.path + body.path,
        headers: { 'content-type': 'application/json', 'content-length': body.bytes.length },
      });
      request.setTimeout(this.#timeoutMs, () =>
        request.destroy(new Error(`no answer within ${this.#timeoutMs} ms`)),
      );
      request.once('error', (error) => resolve(failure(error)));
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', (error) => resolve(failure(error)));
        response.once('end', () => {
          const ms = performance.now() - startedAt;
          resolve(answerOf(response, Buffer.concat(chunks).toString(), ms));
        });
      });
      request.end(body.bytes);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function failure(error: Error): Answer {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const reason = code ?? error.message;
  return { kind: code !== undefined && NOT_CONNECTED.has(code) ? 'unreachable' : 'unconfirmed', reason };
}

function answerOf(response: IncomingMessage, text: string, ms: number): Answer {
  const status = response.statusCode ?? 0;
  const answer = parse(text);
  if (status === 202 && typeof answer.task_id === 'string') {
    return { kind: 'accepted', taskId: answer.task_id, ms };
  }
  const code = answer.error?.code;
  return {
    kind: 'refused',
    status,
    code: typeof code === 'string' ? code : `HTTP_${status}`,
    retryAfterMs: retryAfterMs(response.headers['retry-after']),
  };
}

interface AnswerBody {
  task_id?: unknown;
  error?: { code?: unknown };
}

function parse(text: string): AnswerBody {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {}; // a proxy's error page, for instance
  }
}

/** The header in its form of seconds (RFC 9110, 10.2.3), the one Sluice uses. */
function retryAfterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined;
}

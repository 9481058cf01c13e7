import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as SecureAgent } from 'node:https';
import { rejectedSpans } from './partial-success.js';
import type { SpanDropReason } from './span-counts.js';

export interface SpanSenderOptions {
  url: string;
  headers: Readonly<Record<string, string>>;
  contentType: string;
  /** Milliseconds that the receiver may take for a message. */
  timeoutMs: number;
  /** Whether its answers are those of OTLP, which say how many spans were rejected. */
  answersInOtlp: boolean;
  /** A message is over, and nothing refers to its memory any more. Of one that failed midway that is never said. */
  onOver: (body: Buffer) => void;
  onExported: (spans: number) => void;
  onDropped: (reason: SpanDropReason, spans: number) => void;
}

interface Message {
  readonly body: Buffer;
  readonly spans: number;
  attempts: number;
  /** Delivered or given up: it will not be sent again. */
  isSettled: boolean;
  /** An attempt ended before all of it had gone: the system may still read from it. */
  isTorn: boolean;
}

/** Messages on their way at once. */
const MOST_SENDING = 4;
/** Messages that wait besides. */
const MOST_WAITING = 8;
/** How often one is sent before it is given up. */
const MOST_ATTEMPTS = 5;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
/** Longer than this no receiver is waited for, whatever it asks. */
const MOST_RETRY_AFTER_MS = 30_000;
/** Of an answer so much is read. */
const MOST_ANSWER_BYTES = 65_536;

/** Answers after which a message may be sent again (OTLP 1.9, "Retryable Response Codes"). */
const RETRYABLE = new Set([429, 502, 503, 504]);

/**
 * Sends messages with spans to a receiver, a few at once. When {@link hasRoom} says no, whoever has more must wait: nothing
 * grows while the receiver is slow. A message that cannot be delivered is given up after some time, and counted.
 */
export class SpanSender {
  private readonly agent: Agent;
  private readonly waiting: Message[] = [];
  /** Messages that are sent again in a while. */
  private retrying = 0;
  private sending = 0;
  private whenIdle: (() => void) | undefined;

  constructor(private readonly options: SpanSenderOptions) {
    const { protocol } = new URL(options.url);
    const keeping = { keepAlive: true, maxSockets: MOST_SENDING };
    this.agent = protocol === 'https:' ? new SecureAgent(keeping) : new Agent(keeping);
  }

  get hasRoom(): boolean {
    return this.waiting.length + this.retrying < MOST_WAITING;
  }

  send(body: Buffer, spans: number): void {
    this.waiting.push({ body, spans, attempts: 0, isSettled: false, isTorn: false });
    this.sendNext();
  }

  /** Resolves when nothing is on its way any more. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.whenIdle = resolve;
      this.sayIfIdle();
    });
  }

  private sendNext(): void {
    while (this.sending < MOST_SENDING) {
      const message = this.waiting.shift();
      if (message === undefined) break;
      this.post(message);
    }
    this.sayIfIdle();
  }

  private sayIfIdle(): void {
    if (this.sending === 0 && this.waiting.length === 0 && this.retrying === 0) this.whenIdle?.();
  }

  private post(message: Message): void {
    const { url, headers, contentType, timeoutMs } = this.options;
    message.attempts++;
    this.sending++;
    let isOver = false;
    const end = (outcome: Answer | undefined): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      this.sending--;
      if (!request.writableFinished) message.isTorn = true;
      this.answered(message, outcome);
      if (message.isSettled && !message.isTorn) this.options.onOver(message.body);
      this.sendNext();
    };
    const post = url.startsWith('https:') ? requestHttps : requestHttp;
    const request = post(
      url,
      {
        method: 'POST',
        agent: this.agent,
        headers: { ...headers, 'Content-Type': contentType, 'Content-Length': message.body.length },
      },
      (response) => readAnswer(response, end),
    );
    const timer = setTimeout(() => {
      request.destroy();
      end(undefined);
    }, timeoutMs);
    request.on('error', () => end(undefined));
    request.end(message.body);
  }

  private answered(message: Message, answer: Answer | undefined): void {
    const { answersInOtlp, onExported, onDropped } = this.options;
    message.isSettled = true;
    if (answer === undefined) {
      this.tryAgain(message, undefined, 'unreachable');
    } else if (answer.status >= 200 && answer.status < 300) {
      const rejected = answersInOtlp ? Math.min(message.spans, rejectedSpans(answer.body)) : 0;
      if (rejected > 0) onDropped('rejected', rejected);
      onExported(message.spans - rejected);
    } else if (RETRYABLE.has(answer.status)) {
      this.tryAgain(message, answer.retryAfterMs, 'unreachable');
    } else {
      onDropped('rejected', message.spans);
    }
  }

  private tryAgain(message: Message, retryAfterMs: number | undefined, reason: SpanDropReason): void {
    if (message.attempts >= MOST_ATTEMPTS) {
      this.options.onDropped(reason, message.spans);
      return;
    }
    message.isSettled = false;
    const backoffMs = Math.min(FIRST_RETRY_MS * 2 ** (message.attempts - 1), LAST_RETRY_MS);
    const delayMs = retryAfterMs ?? backoffMs * (0.8 + 0.4 * Math.random());
    this.retrying++;
    const again = (): void => {
      this.retrying--;
      this.waiting.unshift(message);
      this.sendNext();
    };
    setTimeout(again, Math.min(delayMs, MOST_RETRY_AFTER_MS));
  }
}

interface Answer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly body: Buffer;
}

function readAnswer(response: IncomingMessage, end: (answer: Answer | undefined) => void): void {
  const parts: Buffer[] = [];
  let length = 0;
  response.on('data', (part: Buffer) => {
    length += part.length;
    if (length <= MOST_ANSWER_BYTES) parts.push(part);
  });
  response.on('error', () => end(undefined));
  response.on('end', () =>
    end({
      status: response.statusCode ?? 0,
      retryAfterMs: retryAfterMsOf(response.headers['retry-after']),
      body: Buffer.concat(parts),
    }),
  );
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfterMsOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

import type { IncomingMessage } from 'node:http';
import { type MoodyServer, startMoodyServer } from './moody-server.js';

/** The parts of a Sentry event that tests look at. */
export interface SentryEvent {
  readonly event_id: string;
  readonly level: string;
  readonly release: string;
  readonly environment: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly exception: {
    readonly values: readonly {
      readonly type: string;
      readonly value: string;
      readonly stacktrace?: { readonly frames: readonly { readonly filename?: string }[] };
    }[];
  };
  readonly contexts: {
    readonly trace?: { readonly trace_id: string; readonly span_id: string };
    readonly task?: { readonly task_id: string };
  };
}

/** What a receiver does with an envelope: keeps it, answers with a status and these headers, or never answers. */
export type SentryMood =
  | 'takes'
  | 'hangs'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

/** Receives envelopes as Sentry does: `POST /api/<project>/envelope/`, strictly. */
export interface SentryReceiver extends MoodyServer<SentryMood> {
  readonly dsn: string;
  readonly events: readonly SentryEvent[];
  /** All envelopes as they came, taken or not, with the line of their request. */
  readonly envelopes: readonly string[];
}

const KEY = 'publickey';
const PROJECT = '42';

/** Starts a receiver on the loopback interface. */
export async function startSentryReceiver(): Promise<SentryReceiver> {
  const events: SentryEvent[] = [];
  const envelopes: string[] = [];
  const server = await startMoodyServer<SentryMood>('takes', (mood, request, body, response) => {
    envelopes.push(`${request.method} ${request.url}\n${body}`);
    const event = eventIn(request, body);
    if (mood === 'hangs') return;
    if (mood === 'takes') events.push(event);
    const { status, headers } = mood === 'takes' ? { status: 200, headers: {} } : mood;
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(mood === 'takes' ? JSON.stringify({ id: event.event_id }) : '');
  });
  const dsn = server.url.replace('//', `//${KEY}@`).concat(`/${PROJECT}`);
  return Object.assign(server, { dsn, events, envelopes });
}

/**
 * The one event of an envelope: a line with its headers, a line with those of the item, a line with the item.
 *
 * @throws Error naming what Sentry would refuse
 * @see https://develop.sentry.dev/sdk/data-model/envelopes/
 */
function eventIn(request: IncomingMessage, body: string): SentryEvent {
  const url = new URL(request.url ?? '', 'http://sentry');
  if (request.method !== 'POST' || url.pathname !== `/api/${PROJECT}/envelope/`) {
    throw new Error(`${request.method} ${request.url} is no envelope`);
  }
  if (url.searchParams.get('sentry_key') !== KEY) throw new Error('the key of the project is missing');
  const [envelope = '', item = '', payload = '', ...rest] = body.split('\n');
  if (rest.some((line) => line !== '')) throw new Error('there is more than one item');
  const { event_id } = JSON.parse(envelope) as { event_id?: string };
  const { type } = JSON.parse(item) as { type?: string };
  const event = JSON.parse(payload) as SentryEvent;
  if (type !== 'event') throw new Error(`an item of the type ${type}`);
  if (!/^[0-9a-f]{32}$/.test(event.event_id) || event.event_id !== event_id) throw new Error('its id');
  return event;
}

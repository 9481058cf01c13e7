import { hostname } from 'node:os';
import type { Event, Transport } from '@sentry/core';
import type { UnexpectedError } from './unexpected-error.js';

/** What is the same in all events of a program. */
export interface SentrySource {
  readonly service: string;
  readonly version: string;
  readonly environment: string;
}

export interface SentryConnection {
  /** Resolves once Sentry has taken an error, and rejects with why it has not, within the time limit. */
  send(error: UnexpectedError): Promise<void>;
}

/**
 * Loads what makes and sends events of `@sentry/core`: no client, hence no integrations, no scopes, no breadcrumbs, nothing
 * that an event would have beside what is put into it here.
 *
 * @param dsn one that `sentryOptions` lets through
 * @param closed aborts what is being sent
 */
export async function loadSentry(
  dsn: string,
  source: SentrySource,
  timeoutMs: number,
  closed: AbortSignal,
): Promise<SentryConnection> {
  const core = await import('@sentry/core');
  const { nodeStackLineParser } = await import('@sentry/core/server');
  const target = core.dsnFromString(dsn);
  if (target === undefined) throw new Error('its DSN cannot be read');
  const url = core.getEnvelopeEndpointWithUrlEncodedAuth(target, undefined, undefined);
  const parseStack = core.createStackParser(nodeStackLineParser());
  let refusal = '';
  const transport: Transport = core.createTransport(
    // Called where it keeps to a rate limit that Sentry has asked for.
    { recordDroppedEvent: (reason) => (refusal = reason) },
    async ({ body }) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-sentry-envelope' },
        body,
        redirect: 'error',
        signal: AbortSignal.any([closed, AbortSignal.timeout(timeoutMs)]),
      });
      await response.body?.cancel();
      const { status: statusCode, headers } = response;
      const limits = {
        'x-sentry-rate-limits': headers.get('x-sentry-rate-limits'),
        'retry-after': headers.get('retry-after'),
      };
      return { statusCode, headers: limits };
    },
  );
  return {
    async send(error) {
      const event = eventOf(error, source, core.uuid4(), parseStack(`${error.error}\n${error.stack}`));
      const { statusCode } = await transport.send(core.createEventEnvelope(event, target));
      if (statusCode === undefined) throw new Error(refusal);
      if (statusCode < 200 || statusCode >= 300) throw new Error(`HTTP ${statusCode}`);
    },
  };
}

type Frames = NonNullable<NonNullable<Event['exception']>['values']>[number]['stacktrace'];

function eventOf(
  { where, error, level, code, reason, taskType, taskId, traceContext }: UnexpectedError,
  { service, version, environment }: SentrySource,
  event_id: string,
  frames: NonNullable<Frames>['frames'],
): Event {
  const [, trace_id, span_id] = traceContext?.split('-') ?? [];
  return {
    ...{ event_id, level, environment },
    timestamp: Date.now() / 1000,
    platform: 'node',
    release: version,
    server_name: hostname(),
    tags: { service, where, ...(code && { code }), ...(taskType && { task_type: taskType }) },
    exception: {
      values: [{ type: error, value: reason ?? '', ...(frames?.length && { stacktrace: { frames } }) }],
    },
    contexts: {
      runtime: { name: 'node', version: process.version },
      ...(trace_id && span_id && { trace: { trace_id, span_id } }),
      ...(taskId && { task: { task_id: taskId } }),
    },
  };
}

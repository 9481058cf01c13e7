import { Option, type PairCheck } from '@sluice/contract';

/** Where spans go, and under which name. Without an endpoint there are none. */
export const traceOptions = {
  otlpEndpoint: Option.Optional(
    Option.String({
      env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
      pattern: '^https?://[^/]',
      allowed: 'http://host[:port][/path] or https://',
      secret: true,
      description:
        'Receiver of all spans by OTLP (protobuf over HTTP), as `http://collector:4318`; `/v1/traces` is appended. Without it and `JAEGER_ENDPOINT`, no spans are made.',
    }),
  ),
  otlpHeaders: Option.Optional(
    Option.String({
      env: 'OTEL_EXPORTER_OTLP_HEADERS',
      secret: true,
      description:
        'Headers to send to it, as `name=value,name=value`, percent-encoded where needed: for keys of the receiver.',
    }),
  ),
  jaegerEndpoint: Option.Optional(
    Option.String({
      env: 'JAEGER_ENDPOINT',
      pattern: '^https?://[^/]',
      allowed: 'http://host[:port]/path or https://',
      secret: true,
      description:
        'Collector of Jaeger that takes thrift over HTTP, as `http://jaeger:14268/api/traces`. Only if there is no `OTEL_EXPORTER_OTLP_ENDPOINT`, which Jaeger from 1.35 on takes too.',
    }),
  ),
  traceServiceName: Option.Optional(
    Option.String({
      env: 'JAEGER_SERVICE_NAME',
      minLength: 1,
      description: 'Name of the service in its spans, whatever receives them. Without it, that of the log.',
    }),
  ),
};

export interface TraceOptions {
  readonly otlpEndpoint?: string;
  readonly otlpHeaders?: string;
  readonly jaegerEndpoint?: string;
  readonly traceServiceName?: string;
}

/** What is wrong with the options in a way that a schema cannot say. */
export const traceOptionPairs: readonly PairCheck<TraceOptions>[] = [
  ({ otlpHeaders }) =>
    otlpHeaders !== undefined && headersOf(otlpHeaders) === undefined
      ? // Its value is not shown: it is a secret.
        { path: 'otlpHeaders', reason: 'cannot be read; allowed: name=value,name=value, percent-encoded' }
      : undefined,
];

/** Where spans go. */
export interface SpanDestination {
  readonly protocol: 'otlp' | 'jaeger';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The destination that the options name; undefined where there is none, and so no spans. */
export function spanDestinationOf(options: TraceOptions): SpanDestination | undefined {
  const { otlpEndpoint, otlpHeaders = '', jaegerEndpoint } = options;
  if (otlpEndpoint !== undefined) {
    const url = new URL(otlpEndpoint);
    url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
    return { protocol: 'otlp', url: url.href, headers: headersOf(otlpHeaders) ?? {} };
  }
  if (jaegerEndpoint === undefined) return undefined;
  return { protocol: 'jaeger', url: new URL(jaegerEndpoint).href, headers: {} };
}

/** Characters of the name of a header (RFC 9110, 5.1), and of a value that cannot end it. */
const HEADER = /^([\w!#$%&'*+.^`|~-]+)$/;
const VALUE = /^[\t\x20-\x7e]*$/;

/** @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables */
function headersOf(text: string): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(0, equals)).trim();
    const value = decoded(part.slice(equals + 1).trim());
    if (!HEADER.test(name) || value === undefined || !VALUE.test(value)) return undefined;
    headers[name] = value;
  }
  return headers;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

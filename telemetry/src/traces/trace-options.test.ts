import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spanDestinationOf, traceOptionPairs } from './trace-options.js';

describe('where spans go', () => {
  it('is nowhere unless an endpoint is named', () => {
    assert.equal(spanDestinationOf({}), undefined);
  });

  it('is the path of OTLP below its endpoint', () => {
    const urls = ['http://collector:4318', 'http://collector:4318/', 'https://host/otel/'].map(
      (otlpEndpoint) => spanDestinationOf({ otlpEndpoint })?.url,
    );
    assert.deepEqual(urls, [
      'http://collector:4318/v1/traces',
      'http://collector:4318/v1/traces',
      'https://host/otel/v1/traces',
    ]);
  });

  it('is Jaeger as named, and OTLP rather than Jaeger', () => {
    const jaegerEndpoint = 'http://jaeger:14268/api/traces?format=jaeger.thrift';
    assert.deepEqual(spanDestinationOf({ jaegerEndpoint }), {
      protocol: 'jaeger',
      url: jaegerEndpoint,
      headers: {},
    });
    assert.equal(spanDestinationOf({ jaegerEndpoint, otlpEndpoint: 'http://c' })?.protocol, 'otlp');
  });

  it('takes headers as OpenTelemetry writes them', () => {
    const otlpHeaders = 'x-api-key=s3cr%3Dt, authorization=Bearer%20abc,';
    assert.deepEqual(spanDestinationOf({ otlpEndpoint: 'http://c', otlpHeaders })?.headers, {
      'x-api-key': 's3cr=t',
      authorization: 'Bearer abc',
    });
  });

  it('refuses headers that are none, without showing them', () => {
    for (const otlpHeaders of ['secret', 'a b=secret', 'a=secret%0d%0ax: y', 'a=%secret']) {
      const fault = traceOptionPairs.map((check) => check({ otlpHeaders }))[0];
      assert.equal(fault?.path, 'otlpHeaders');
      assert.doesNotMatch(fault?.reason ?? '', /secret/);
    }
  });
});

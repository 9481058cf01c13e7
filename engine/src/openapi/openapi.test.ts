import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineTaskType, resolveOptions, type TaskType } from '@sluice/contract';
import { Type } from 'typebox';
import { STATUS } from '../http/answers.js';
import { engineOptions } from '../options.js';
import { openApiDocument } from './openapi.js';

interface Operation {
  operationId: string;
  security?: Record<string, string[]>[];
  responses: Record<string, { $ref?: string }>;
}
interface Document {
  info: { description: string };
  paths: Record<string, { post?: Operation; get?: Operation }>;
  components: {
    schemas: Record<string, { enum?: string[]; description?: string }>;
    responses: Record<string, { description: string; headers?: object }>;
    securitySchemes?: object;
  };
}

const OPTIONS = resolveOptions(engineOptions, {});
const MAIL = defineTaskType('mail', Type.Object({ to: Type.String() }));

function documentOf(options: object = {}, types: readonly TaskType[] = [MAIL]): Document {
  return openApiDocument({ ...OPTIONS, ...options }, types) as Document;
}

/** The errors that an operation states, as `CODE status`. */
function errorsOf(document: Document, path: string): string[] {
  const { responses = {} } = document.paths[path]?.post ?? {};
  return Object.entries(responses).flatMap(([status, { $ref = '' }]) => {
    const { description = '' } = document.components.responses[$ref.split('/').at(-1) ?? ''] ?? {};
    return [...description.matchAll(/^`([A-Z0-9_]+)`:/gm)].map(([, code]) => `${code} ${status}`);
  });
}

/** What no task that is sent to a path of the document with its method is answered. */
const ELSEWHERE = [
  'NOT_FOUND',
  'UNKNOWN_TASK_TYPE',
  'METHOD_NOT_ALLOWED',
  'REQUEST_TIMEOUT',
  'INVALID_TASK_ID',
  'TASK_NOT_FOUND',
  'TRACKING_OFF',
];

describe('openApiDocument', () => {
  it('states every error there is, and each under its status', () => {
    const document = documentOf({ apiKeysFile: 'keys.txt' });
    assert.deepEqual(document.components.schemas.ErrorCode?.enum, Object.keys(STATUS));
    const expected = Object.entries(STATUS)
      .filter(([code]) => !ELSEWHERE.includes(code))
      .map(([code, status]) => `${code} ${status.slice(0, 3)}`);
    for (const path of ['/tasks', '/tasks/batch', '/tasks/mail', '/tasks/mail/batch']) {
      assert.deepEqual(errorsOf(document, path).sort(), expected.sort(), path);
    }
  });

  it('says how large tasks and batches may be, as they are bounded in fact', () => {
    const { description } = documentOf({
      maxPayloadSize: 1000,
      maxInFlightBytes: 2000,
      streamMaxlen: 30,
    }).info;
    assert.match(
      description,
      /A task has up to 1000 bytes and 128 levels, a batch up to 2000 bytes and 30 tasks\.$/,
    );
  });

  it('says what each error means', () => {
    const { description = '' } = documentOf().components.schemas.ErrorCode ?? {};
    for (const code of Object.keys(STATUS))
      assert.match(description, new RegExp(`^\`${code}\`: .{20,}`, 'm'));
  });

  it('speaks of API keys only where they are asked for', () => {
    const document = documentOf();
    assert.equal(document.components.securitySchemes, undefined);
    assert.doesNotMatch(errorsOf(document, '/tasks').join(), /UNAUTHORIZED|FORBIDDEN 403/);
    const withKeys = documentOf({ apiKeysFile: 'keys.txt' });
    assert.deepEqual(withKeys.paths['/tasks']?.post?.security, [
      { bearer: ['default'] },
      { apiKey: ['default'] },
    ]);
    assert.deepEqual(withKeys.paths['/tasks/mail']?.post?.security, [
      { bearer: ['mail'] },
      { apiKey: ['mail'] },
    ]);
    assert.equal(withKeys.paths['/health']?.get?.security, undefined);
  });

  it('says when to come back with each 503', () => {
    assert.ok('Retry-After' in (documentOf().components.responses.ServiceUnavailable?.headers ?? {}));
  });

  it('says of a 415 how to tell a compressed body from a wrong media type', () => {
    const { UnsupportedMediaType } = documentOf().components.responses;
    assert.ok('Accept-Encoding' in (UnsupportedMediaType?.headers ?? {}));
  });

  it('gives each operation an id of its own', () => {
    const types = ['health', 'livez', 'tasks'].map((name) => defineTaskType(name, MAIL.data));
    const { paths } = documentOf({}, types);
    const ids = Object.values(paths).map(({ post, get }) => (post ?? get)?.operationId);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('a schema that cannot be written as JSON does not stop the start', () => {
    const circular: Record<string, unknown> = { type: 'object' };
    circular.default = circular;
    const { components } = documentOf({}, [defineTaskType('mail', Type.Unsafe(circular))]);
    assert.match(components.schemas['data.mail']?.description ?? '', /cannot be written/);
  });
});

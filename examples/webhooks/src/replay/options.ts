import { fileURLToPath } from 'node:url';
import { queueOptions } from '@sluice/contract';
import { type Static, Type } from 'typebox';
import { DEFAULT_DIGEST_DIR } from '../digest/digest-folder.js';

/** Options of the replay; on the command line `--like-this`, in a library call `likeThis`. */
export const replayOptions = Type.Object({
  folder: Type.String({
    minLength: 1,
    default: fileURLToPath(new URL('../../sample-bodies', import.meta.url)),
    description: 'Folder whose .json files are sent, in the order of their names.',
  }),
  times: Type.Integer({ minimum: 1, default: 1, description: 'How often each file is sent.' }),
  connections: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    default: 64,
    description: 'Keep-alive connections, each with one request at a time.',
  }),
  rate: Type.Number({
    minimum: 0,
    default: 0,
    description: 'Tasks a second at most; 0 sends as fast as the answers come.',
  }),
  url: Type.String({
    pattern: '^https?://',
    allowed: 'http://host[:port], https:// for TLS',
    default: 'http://localhost:8000',
    description: 'The engine.',
  }),
  ...queueOptions,
  group: Type.String({
    env: 'REDIS_CONSUMER_GROUP',
    minLength: 1,
    default: 'processors',
    description: 'The group that works the tasks off; decides what counts as backlog.',
  }),
  digestDir: Type.String({
    env: 'DIGEST_DIR',
    minLength: 1,
    default: DEFAULT_DIGEST_DIR,
    description: 'Folder of the digest: the same that the handlers write to, or everything looks lost.',
  }),
  typeByEvent: Type.Boolean({
    default: true,
    description: 'Events that have a schema go to POST /tasks/{type}; false sends all to POST /tasks.',
  }),
  retrySeconds: Type.Number({
    minimum: 0,
    default: 60,
    description:
      'How long one task is sent again after 503, a broken connection or none; then it is abandoned.',
  }),
  requestTimeoutSeconds: Type.Number({
    exclusiveMinimum: 0,
    default: 10,
    description: 'How long an answer may take; then the request counts as unconfirmed.',
  }),
  stallSeconds: Type.Number({
    minimum: 0,
    default: 60,
    description: 'How long the drain may stand still before the replay stops waiting.',
  }),
  graceSeconds: Type.Number({
    minimum: 0,
    default: 2,
    description:
      'How long an accepted task may be missing from an empty backlog before it counts as lost (ACK_MODE=received appends after the 202).',
  }),
});

export type ReplayOptions = Static<typeof replayOptions>;

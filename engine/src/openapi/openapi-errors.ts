import { type RefusalCode, STATUS } from '../http/answers.js';

/** What an error means to whoever gets it, and whether a task that is sent to a path of the document can get it. */
interface Meaning {
  readonly meaning: string;
  /**
   * Only where API keys are asked for, or only by who asks for a task, or only on other paths and methods than those in
   * the document. @default always
   */
  readonly only?: 'keys' | 'status' | 'elsewhere';
}

/** Every error there is in `answers.ts`: the compiler asks for one that is missing here. */
const MEANINGS: Readonly<Record<RefusalCode, Meaning>> = {
  BAD_REQUEST: { meaning: 'The end of the request cannot be told for certain; the connection is closed.' },
  INVALID_JSON: { meaning: 'The body is not JSON; the message says where it stops being it.' },
  INVALID_MSGPACK: { meaning: 'The body is not MessagePack, or not such as is taken; the message says why.' },
  INVALID_UTF8: { meaning: 'A string in the body is not UTF-8.' },
  UNAUTHORIZED: { meaning: 'No API key was sent, or one that is not known.', only: 'keys' },
  FORBIDDEN: { meaning: 'The API key lacks the scope of this task type.', only: 'keys' },
  NOT_FOUND: { meaning: 'There is nothing at this path.', only: 'elsewhere' },
  UNKNOWN_TASK_TYPE: { meaning: 'No task type of this name is registered.', only: 'elsewhere' },
  METHOD_NOT_ALLOWED: { meaning: 'The path takes another method, named in Allow.', only: 'elsewhere' },
  REQUEST_TIMEOUT: { meaning: 'The rest of the request did not come in time.', only: 'elsewhere' },
  INVALID_IDEMPOTENCY_KEY: { meaning: 'The Idempotency-Key is malformed, or there are several.' },
  INVALID_PREFERENCE: { meaning: 'The Prefer header is malformed, or asks for an unknown level (`ack`).' },
  INVALID_TASK_ID: { meaning: 'What is asked for is not a task id.', only: 'status' },
  TASK_NOT_FOUND: {
    meaning: 'No task with this id is known, or not any more, or not to the holder of this API key.',
    only: 'status',
  },
  TRACKING_OFF: { meaning: 'The service does not keep track of tasks.', only: 'elsewhere' },
  LENGTH_REQUIRED: { meaning: 'The request states no Content-Length.' },
  PAYLOAD_TOO_LARGE: { meaning: 'The body is larger than the service takes.' },
  UNSUPPORTED_MEDIA_TYPE: {
    meaning: 'The media type of the body is none of those listed, or the body is compressed.',
  },
  VALIDATION_ERROR: { meaning: 'The body does not have the form asked for; the details say where and why.' },
  IDEMPOTENCY_KEY_REUSED: { meaning: 'The Idempotency-Key was sent before, with another body.' },
  PAYLOAD_TOO_DEEP: { meaning: 'The body is nested more deeply than the service takes.' },
  FORBIDDEN_KEY: { meaning: 'A key in the body is `__proto__`, `constructor` or `prototype`.' },
  INTERNAL_ERROR: { meaning: 'The service failed; nothing is known of the task.' },
  OVERLOADED: { meaning: 'There is as much work as the service can hold. Nothing was stored.' },
  SHUTTING_DOWN: { meaning: 'The service is shutting down. Nothing was stored.' },
  REDIS_UNAVAILABLE: { meaning: 'The queue cannot be reached. Nothing was stored.' },
  APPEND_REFUSED: { meaning: 'The queue refused the task. Nothing was stored.' },
  APPEND_UNCONFIRMED: {
    meaning: 'The queue did not confirm the task in time: it may or may not have been stored.',
  },
  ACK_LEVEL_UNAVAILABLE: {
    meaning: 'The level of acknowledgement cannot be reached as the queue is set up now. Nothing was stored.',
  },
  ACK_LEVEL_NOT_REACHED: {
    meaning: 'The task is stored, but was not confirmed in time at the level of acknowledgement asked for.',
  },
};

const CODES = Object.keys(STATUS) as RefusalCode[]; // the table has no other keys

const FAULT = {
  type: 'object',
  required: ['path', 'reason'],
  properties: {
    path: {
      type: 'string',
      description: 'Where in the body it is: a JSON Pointer (RFC 6901).',
      examples: ['/data/id'],
    },
    reason: { type: 'string', examples: ['must be string'] },
  },
};

/** The form of every error, and the codes there are. */
export const ERROR_SCHEMAS = {
  Error: {
    type: 'object',
    description: 'The form of every error.',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { $ref: '#/components/schemas/ErrorCode' },
          message: { type: 'string', description: 'What is wrong, and what is allowed; for people.' },
          details: { type: 'array', description: 'Each thing that is wrong with the body.', items: FAULT },
        },
      },
    },
  },
  ErrorCode: {
    type: 'string',
    description: ['Stable: clients may switch on it.', ...CODES.map(lineOf)].join('\n\n'),
    enum: CODES,
  },
};

/** The errors that a task can be answered with, an answer per status, by the name it has in the document. */
export interface ErrorResponses {
  readonly components: Readonly<Record<string, object>>;
  /** What an operation lists: references, by status. */
  readonly references: Readonly<Record<string, object>>;
}

/** @param withKeys whether API keys are asked for */
export function errorResponses(withKeys: boolean): ErrorResponses {
  const codes = CODES.filter((code) => {
    const { only } = MEANINGS[code];
    return only === undefined || (only === 'keys' && withKeys);
  });
  const components: Record<string, object> = {};
  const references: Record<string, object> = {};
  for (const status of new Set(codes.map((code) => STATUS[code]))) {
    const [number = '', ...words] = status.split(' ');
    const name = words.join('');
    components[name] = responseOf(
      number,
      codes.filter((code) => STATUS[code] === status),
    );
    references[number] = { $ref: `#/components/responses/${name}` };
  }
  return { components, references };
}

/** Answers with these errors, by status, for an operation that has others than tasks have. */
export function errorResponsesOf(codes: readonly RefusalCode[]): Record<string, object> {
  const numbers = codes.map((code) => STATUS[code].slice(0, 3));
  return Object.fromEntries(
    numbers.map((number) => [
      number,
      responseOf(
        number,
        codes.filter((code) => STATUS[code].startsWith(number)),
      ),
    ]),
  );
}

function responseOf(number: string, codes: readonly RefusalCode[]): object {
  return {
    description: codes.map(lineOf).join('\n\n'),
    ...(HEADERS[number] && { headers: HEADERS[number] }),
    content: {
      'application/json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Error' },
            { properties: { error: { properties: { code: { enum: codes } } } } },
          ],
        },
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
    },
  };
}

function exampleOf(code: RefusalCode): object {
  return { error: { code, message: MEANINGS[code].meaning } };
}

const HEADERS: Readonly<Record<string, object>> = {
  401: wwwAuthenticate(),
  403: wwwAuthenticate(),
  415: {
    'Accept-Encoding': {
      description: 'Where the body was compressed: that it must not be.',
      schema: { const: 'identity' },
    },
  },
  503: {
    'Retry-After': {
      description: 'Seconds after which it is worth coming back, where it is.',
      schema: { type: 'integer', minimum: 1 },
    },
  },
};

function wwwAuthenticate(): object {
  return {
    'WWW-Authenticate': {
      description: 'What is asked for (RFC 6750).',
      required: true,
      schema: { type: 'string' },
    },
  };
}

function lineOf(code: RefusalCode): string {
  return `\`${code}\`: ${MEANINGS[code].meaning}`;
}

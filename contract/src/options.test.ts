import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Type } from 'typebox';
import { SluiceError } from './errors.js';
import { describeOptions, queueOptions, readEnvironment, resolveOptions } from './options.js';

const options = Type.Object({
  ...queueOptions,
  port: Type.Integer({ env: 'PORT', minimum: 1, maximum: 65535, default: 8000, description: 'Port.' }),
  delaySeconds: Type.Number({
    env: 'DELAY',
    exclusiveMinimum: 0,
    maximum: 60,
    default: 1.5,
    description: 'Delay.',
  }),
  processes: Type.Union([Type.Literal('auto'), Type.Integer({ minimum: 1 })], {
    env: 'PROCESSES',
    default: 'auto',
    description: 'Processes.',
  }),
  mode: Type.Union([Type.Literal('fast'), Type.Literal('safe')], {
    env: 'MODE',
    default: 'safe',
    description: 'Mode.',
  }),
  chunked: Type.Boolean({ env: 'CHUNKED', default: false, description: 'Chunked.' }),
  module: Type.Optional(Type.String({ env: 'MODULE', minLength: 1, description: 'Module.' })),
  threads: Type.Integer({ minimum: 1, default: 2, description: 'Threads; library calls only.' }),
});

const defaults = {
  redisUrl: 'redis://localhost:6379',
  streamName: 'tasks:stream',
  port: 8000,
  delaySeconds: 1.5,
  processes: 'auto',
  mode: 'safe',
  chunked: false,
  threads: 2,
};

const linesOf = (act: () => unknown): string[] => {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof SluiceError);
    assert.equal(error.code, 'INVALID_OPTIONS');
    assert.deepEqual(
      error.details?.map(({ path, reason }) => `${path} ${reason}`),
      error.message.split('\n'),
    );
    return error.message.split('\n');
  }
  return assert.fail('nothing was refused');
};
const environmentFaults = (environment: Record<string, string>) =>
  linesOf(() => readEnvironment(options, environment));
const callFaults = (given: Record<string, unknown>) => linesOf(() => resolveOptions(options, given));

describe('readEnvironment', () => {
  it('takes the defaults for what is not set or empty, and looks at nothing else', () => {
    assert.deepEqual(readEnvironment(options, {}), defaults);
    assert.deepEqual(
      readEnvironment(options, { PORT: '', MODULE: '', MODE: undefined, HOME: '/root' }),
      defaults,
    );
  });

  it('reads numbers, booleans and words as the options have them', () => {
    assert.deepEqual(
      readEnvironment(options, {
        REDIS_URL: 'rediss://user:secret@redis.example:6380/1',
        REDIS_STREAM_NAME: '123',
        PORT: ' 9000 ',
        DELAY: '0.25',
        PROCESSES: '4',
        MODE: 'fast',
        CHUNKED: 'true',
        MODULE: './schemas.js',
      }),
      {
        redisUrl: 'rediss://user:secret@redis.example:6380/1',
        streamName: '123',
        port: 9000,
        delaySeconds: 0.25,
        processes: 4,
        mode: 'fast',
        chunked: true,
        module: './schemas.js',
        threads: 2,
      },
    );
    assert.equal(readEnvironment(options, { CHUNKED: '1' }).chunked, true);
    assert.equal(readEnvironment(options, { CHUNKED: '0' }).chunked, false);
    assert.equal(readEnvironment(options, { PROCESSES: 'auto' }).processes, 'auto');
  });

  const port = 'allowed: a whole number from 1 to 65535';
  const delay = 'allowed: a number above 0, at most 60';
  const processes = 'allowed: auto, a whole number from 1';
  for (const [variable, value, line] of [
    ['PORT', 'eighty', `PORT is "eighty"; ${port}`],
    ['PORT', '0', `PORT is 0; ${port}`],
    ['PORT', '65536', `PORT is 65536; ${port}`],
    ['PORT', '80.5', `PORT is 80.5; ${port}`],
    ['PORT', '8000 # intake', `PORT is "8000 # intake"; ${port}`],
    ['PORT', 'NaN', `PORT is "NaN"; ${port}`],
    ['PORT', 'Infinity', `PORT is "Infinity"; ${port}`],
    ['PORT', '   ', `PORT is ""; ${port}`],
    ['DELAY', '0', `DELAY is 0; ${delay}`],
    ['DELAY', '61', `DELAY is 61; ${delay}`],
    ['PROCESSES', 'all', `PROCESSES is "all"; ${processes}`],
    ['PROCESSES', '-1', `PROCESSES is -1; ${processes}`],
    ['MODE', 'FAST', 'MODE is "FAST"; allowed: fast, safe'],
    ['MODE', 'fast\nsafe', 'MODE is "fast\\nsafe"; allowed: fast, safe'],
    ['CHUNKED', 'yes', 'CHUNKED is "yes"; allowed: true, false'],
    ['MODULE', ' ', 'MODULE is ""; allowed: text, not empty'],
    ['REDIS_STREAM_NAME', ' ', 'REDIS_STREAM_NAME is ""; allowed: text, not empty'],
    [
      'REDIS_URL',
      'localhost:6379',
      'REDIS_URL is "localhost:6379"; allowed: redis://[user:password@]host[:port][/database], rediss:// for TLS',
    ],
  ] as const) {
    it(`refuses ${variable}=${JSON.stringify(value)} with one line: variable, value, what is allowed`, () => {
      assert.deepEqual(environmentFaults({ [variable]: value }), [line]);
    });
  }

  for (const [url, shown] of [
    ['redis://host:99999', 'redis://host:99999'],
    ['redis://user:s3cret@host:99999', 'redis://***@host:99999'],
    ['redis://:100%@host', 'redis://***@host'],
    ['redis://user:s3cret@ho st', 'redis://***@ho st'],
    ['redis://host/queue', 'redis://host/queue'],
    ['redis://host?db=1', 'redis://host?***'],
    ['redis://:s3cret', 'redis://:***'],
  ] as const) {
    it(`refuses REDIS_URL=${url}, which no connection can be made with`, () => {
      const [line] = environmentFaults({ REDIS_URL: url });
      assert.match(line ?? '', /^REDIS_URL is "[^"]*"; allowed: redis:\/\//);
      assert.equal(line?.split('"')[1], shown);
    });
  }

  for (const url of ['redis://', 'redis://[::1]:6379/15', 'rediss://us%40er:p%25ss@host/', 'redis://:x@h']) {
    it(`takes REDIS_URL=${url}`, () => {
      assert.equal(readEnvironment(options, { REDIS_URL: url }).redisUrl, url);
    });
  }

  it('names every wrong variable at once', () => {
    const lines = environmentFaults({ PORT: 'x', MODE: 'y', DELAY: '1' });
    assert.deepEqual(
      lines.map((line) => line.split(' ')[0]),
      ['PORT', 'MODE'],
    );
  });

  it('does not take what can be set by library calls only', () => {
    assert.equal(readEnvironment(options, { threads: '9', THREADS: '9' }).threads, 2);
  });

  for (const url of [
    'http://user:s3cret@host:6379',
    'user:s3cret@host:6379',
    'http://:s3cret@host',
    'http://user:an@s3cret@host/0',
    'http://host/0?password=s3cret',
    'HTTP://user:s3cret\n@host',
  ]) {
    it(`keeps the password of ${JSON.stringify(url)} out of the message`, () => {
      const [line] = environmentFaults({ REDIS_URL: url });
      assert.doesNotMatch(line ?? '', /s3cret/);
      assert.match(line ?? '', /^REDIS_URL is ".*\*\*\*.*"; allowed: redis:\/\//);
      assert.match(line ?? '', /host/);
    });
  }
});

describe('resolveOptions', () => {
  it('fills in the defaults', () => {
    assert.deepEqual(resolveOptions(options, { port: 1, module: undefined }), { ...defaults, port: 1 });
  });

  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const [what, value, shown] of [
    ['text', '8000', '"8000"'],
    ['a fraction', 0.5, '0.5'],
    ['NaN', Number.NaN, 'NaN'],
    ['a bigint', 8000n, '8000'],
    ['a boolean', true, 'true'],
    ['a circular object', circular, '[object Object]'],
    ['an object without a prototype', Object.create(null), 'a object'],
    ['a symbol', Symbol('port'), 'Symbol(port)'],
  ] as const) {
    it(`refuses ${what} where a whole number belongs, naming the option`, () => {
      assert.deepEqual(callFaults({ port: value }), [
        `port is ${shown}; allowed: a whole number from 1 to 65535`,
      ]);
    });
  }

  it('refuses an option that does not exist', () => {
    const [line] = callFaults({ prot: 1 });
    assert.match(line ?? '', /^prot is no option; allowed: redisUrl, streamName, port, /);
  });

  it('refuses to do without an option that has no default', () => {
    const schema = Type.Object({ group: Type.String({ minLength: 1, description: 'Group.' }) });
    assert.deepEqual(
      linesOf(() => resolveOptions(schema, {})),
      ['group is not set; allowed: text, not empty'],
    );
  });

  describe('with checks of several options together', () => {
    const tooSlow = (given: { delaySeconds: number; threads: number }) =>
      given.delaySeconds > given.threads
        ? { path: 'delaySeconds', reason: `is ${given.delaySeconds}; allowed: at most ${given.threads}` }
        : undefined;

    it('names the option in a library call and the variable in the environment', () => {
      assert.deepEqual(
        linesOf(() => resolveOptions(options, { delaySeconds: 3 }, [tooSlow])),
        ['delaySeconds is 3; allowed: at most 2'],
      );
      assert.deepEqual(
        linesOf(() => readEnvironment(options, { DELAY: '3' }, [tooSlow])),
        ['DELAY is 3; allowed: at most 2'],
      );
    });

    it('makes them only when each option is right by itself', () => {
      const never = () => assert.fail('checked options that are wrong');
      assert.equal(linesOf(() => resolveOptions(options, { port: 0 }, [never])).length, 1);
    });
  });
});

describe('describeOptions', () => {
  it('gives a row per option: variable, what is allowed, default and meaning', () => {
    const rows = describeOptions(options);
    assert.deepEqual(
      rows.map(({ option }) => option),
      Object.keys(options.properties),
    );
    assert.deepEqual(rows[2], {
      option: 'port',
      env: 'PORT',
      allowed: 'a whole number from 1 to 65535',
      fallback: '8000',
      description: 'Port.',
    });
    assert.equal(rows.at(-1)?.env, undefined);
    assert.equal(rows.find(({ option }) => option === 'module')?.fallback, '');
  });

  it('tells numbers with no bound, one bound and two apart', () => {
    const allowedOf = (number: ReturnType<typeof Type.Number>) =>
      describeOptions(Type.Object({ number }))[0]?.allowed;
    assert.equal(allowedOf(Type.Number()), 'a number');
    assert.equal(allowedOf(Type.Number({ minimum: 0 })), 'a number from 0');
    assert.equal(allowedOf(Type.Number({ maximum: 9 })), 'a number at most 9');
    assert.equal(allowedOf(Type.Number({ exclusiveMinimum: 0 })), 'a number above 0');
    assert.equal(allowedOf(Type.Number({ minimum: 1, maximum: 9 })), 'a number from 1 to 9');
  });

  it('shows a pattern where no words are given for it', () => {
    const schema = Type.Object({ host: Type.String({ pattern: '^[a-z]+$' }) });
    assert.equal(describeOptions(schema)[0]?.allowed, 'text that matches ^[a-z]+$');
  });
});

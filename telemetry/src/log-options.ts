import { type Static, Type } from 'typebox';
import type { ErrorMessages } from './error-fields.js';

/** What the log of a program does, with its environment variables; engine and consumers share it. */
export const logOptions = {
  logLevel: Type.Union(
    [
      Type.Literal('DEBUG'),
      Type.Literal('INFO'),
      Type.Literal('WARNING'),
      Type.Literal('ERROR'),
      Type.Literal('CRITICAL'),
    ],
    {
      env: 'LOG_LEVEL',
      default: 'INFO',
      description: 'The least level that is logged.',
    },
  ),
  logErrorMessages: Type.Boolean({
    env: 'LOG_ERROR_MESSAGES',
    default: false,
    description:
      'Whether messages of errors are logged that may quote what they failed on, those thrown by handlers above all. Off, only their names are; the dead-letter stream has all of it.',
  }),
  lokiEndpoint: Type.Optional(
    Type.Refine(
      Type.String({
        env: 'LOKI_ENDPOINT',
        pattern: '^https?://',
        allowed: 'http://[user:password@]host[:port][/path], https:// too',
        secret: true,
        description:
          'Where the log is pushed besides standard output, from a thread of its own; without a path, `/loki/api/v1/push`. What Loki does not take is dropped and counted.',
      }),
      (text) => URL.canParse(text),
    ),
  ),
};

const logOptionsSchema = Type.Object(logOptions);

/** Options of `openLog`. */
export type LogOptions = Static<typeof logOptionsSchema>;

/** What the listeners of events may log of errors. */
export function errorMessagesOf({ logErrorMessages }: Pick<LogOptions, 'logErrorMessages'>): ErrorMessages {
  return logErrorMessages ? 'messages' : 'names';
}

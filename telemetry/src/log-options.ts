import { Option } from '@sluice/contract';
import type { Static } from 'typebox';
import type { ErrorMessages } from './error-fields.js';

/** What the log of a program does, with its environment variables; engine and consumers share it. */
export const logOptions = {
  logLevel: Option.Union(
    [
      Option.Literal('DEBUG'),
      Option.Literal('INFO'),
      Option.Literal('WARNING'),
      Option.Literal('ERROR'),
      Option.Literal('CRITICAL'),
    ],
    {
      env: 'LOG_LEVEL',
      default: 'INFO',
      description: 'The least level that is logged.',
    },
  ),
  logErrorMessages: Option.Boolean({
    env: 'LOG_ERROR_MESSAGES',
    default: false,
    description:
      'Whether messages of errors are logged that may quote what they failed on, those thrown by handlers above all. Off, only their names are; the dead-letter stream has all of it.',
  }),
  lokiEndpoint: Option.Optional(
    Option.Refine(
      Option.String({
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

const logOptionsSchema = Option.Object(logOptions);

/** Options of `openLog`. */
export type LogOptions = Static<typeof logOptionsSchema>;

/** What the listeners of events may log of errors. */
export function errorMessagesOf({ logErrorMessages }: Pick<LogOptions, 'logErrorMessages'>): ErrorMessages {
  return logErrorMessages ? 'messages' : 'names';
}

import { Option } from '@sluice/contract';
import type { Static } from 'typebox';

/** Where a program reports errors that nobody expected; engine and consumers share it. */
export const sentryOptions = {
  sentryDsn: Option.Optional(
    Option.String({
      env: 'SENTRY_DSN',
      // What the client of Sentry takes, which prints any other.
      pattern: '^https?://\\w+(:\\w*)?@[\\w.-]+(:\\d+)?/([^?#\\s]+/)?\\d+$',
      allowed: 'https://key@host[:port][/path]/project',
      secret: true,
      description:
        'Sentry project that errors are reported to which nobody expected: faults of Sluice itself, processes and threads that died, lost tasks. Needs the package `@sentry/core`. Handlers that throw are not reported: the dead-letter stream has them.',
    }),
  ),
  sentryEnvironment: Option.String({
    env: 'SENTRY_ENVIRONMENT',
    pattern: '^[^\\s/]{1,64}$',
    allowed: 'up to 64 characters, no blanks, no slash',
    default: 'production',
    description: 'Environment that these errors are filed under.',
  }),
};

const sentryOptionsSchema = Option.Object(sentryOptions);

export type SentryOptions = Static<typeof sentryOptionsSchema>;

export { exitAfterReport } from './exit-after-report.js';
export { RateCap } from './rate-cap.js';
export { type SentryOptions, sentryOptions } from './sentry-options.js';
export { ERRORS_PER_MINUTE, openSentry, SentrySink } from './sentry-sink.js';
export {
  type ErrorReporter,
  reportConsumerErrors,
  reportEngineErrors,
  type UnexpectedError,
  unexpectedError,
} from './unexpected-error.js';

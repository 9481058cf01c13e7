// A program that reports what it does not catch.
import { exitAfterReport, openSentry } from '@sluice/telemetry';

const [dsn = ''] = process.argv.slice(2);
const options = { sentryDsn: dsn, sentryEnvironment: 'test' };
const sentry = openSentry(options, { service: 'program', version: '0' }, () => {});
if (sentry !== undefined) exitAfterReport(sentry, 'program', 'names');
setTimeout(() => {
  throw new RangeError('out of it');
}, 1);
// It would go on for ever.
setInterval(() => {}, 1000);

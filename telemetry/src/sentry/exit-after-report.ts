import { describeThrown } from '@sluice/contract';
import type { ErrorMessages } from '../error-fields.js';
import type { SentrySink } from './sentry-sink.js';
import { unexpectedError } from './unexpected-error.js';

const REPORT_WITHIN_MS = 2000;

/**
 * Has what nobody has caught reported before it ends the process, which it does as it would without: its stack on
 * standard error, exit code 1. Takes two seconds at most.
 */
export function exitAfterReport(sentry: SentrySink, where: string, messages: ErrorMessages): void {
  process.once('uncaughtException', (error) => {
    // A second one comes while the first is sent: it is not kept from ending the process at once.
    const { name, message, stack } = describeThrown(error);
    process.stderr.write(`Uncaught ${stack === '' ? `${name}: ${message}` : stack}\n`);
    sentry.report(unexpectedError(where, error, messages, 'fatal'));
    void sentry.close(REPORT_WITHIN_MS).then(() => process.exit(1));
  });
}

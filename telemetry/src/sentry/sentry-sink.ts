import { setTimeout as pause } from 'node:timers/promises';
import { checkInstalled } from '../optional-packages.js';
import { RateCap } from './rate-cap.js';
import { loadSentry, type SentryConnection, type SentrySource } from './sentry-envelope.js';
import type { SentryOptions } from './sentry-options.js';
import type { ErrorReporter, UnexpectedError } from './unexpected-error.js';

/** Errors that are sent in a minute; what is more of them than that says nothing new. */
export const ERRORS_PER_MINUTE = 30;
const SEND_TIMEOUT_MS = 5000;
const WARN_EVERY_MS = 60_000;

/**
 * Reports errors to Sentry: so many a minute, each tried once, in the background. What was not sent is counted, with one
 * warning a minute. The package is loaded with the first error.
 */
export class SentrySink implements ErrorReporter {
  sent = 0;
  /** Errors that were not sent: there were too many, or Sentry did not take them. */
  dropped = 0;
  private readonly cap = new RateCap(ERRORS_PER_MINUTE);
  private readonly ending = new AbortController();
  private readonly sending = new Set<Promise<void>>();
  private loading: Promise<SentryConnection> | undefined;
  private warnedAt = Number.NEGATIVE_INFINITY;
  private closing: Promise<void> | undefined;

  /** @throws SluiceError `INVALID_OPTIONS` when the package is not installed */
  constructor(
    private readonly dsn: string,
    private readonly source: SentrySource,
    private readonly onTrouble: (dropped: number, error: Error) => void,
  ) {
    checkInstalled('errors are to be reported to Sentry', ['@sentry/core']);
  }

  report(error: UnexpectedError): void {
    if (this.closing !== undefined) {
      this.dropped++;
      return;
    }
    if (!this.cap.take()) {
      this.lost(new Error(`more than ${ERRORS_PER_MINUTE} errors within a minute`));
      return;
    }
    const sending = this.send(error).finally(() => this.sending.delete(sending));
    this.sending.add(sending);
  }

  /** Waits so long at most for what is being sent, and gives up on the rest. Called again, it is the same closing. */
  close(withinMs: number): Promise<void> {
    this.closing ??= this.finish(withinMs);
    return this.closing;
  }

  private async finish(withinMs: number): Promise<void> {
    const timeout = new AbortController();
    const limit = pause(withinMs, undefined, { signal: timeout.signal }).catch(() => {});
    await Promise.race([Promise.all(this.sending), limit]);
    timeout.abort();
    this.ending.abort(new Error('shut down'));
    await Promise.all(this.sending);
  }

  private async send(error: UnexpectedError): Promise<void> {
    try {
      this.loading ??= loadSentry(this.dsn, this.source, SEND_TIMEOUT_MS, this.ending.signal);
      const sentry = await this.loading;
      await sentry.send(error);
      this.sent++;
    } catch (thrown) {
      this.lost(reasonOf(thrown));
    }
  }

  private lost(why: Error): void {
    this.dropped++;
    if (performance.now() - this.warnedAt < WARN_EVERY_MS) return;
    this.warnedAt = performance.now();
    this.onTrouble(this.dropped, why);
  }
}

/** `fetch` says no more than that it failed; the cause says why. */
function reasonOf(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error(String(thrown));
  return thrown.cause instanceof Error ? thrown.cause : thrown;
}

/**
 * Opens the sink that the options of a program ask for; none without a DSN.
 *
 * @throws SluiceError `INVALID_OPTIONS` when the package is not installed
 */
export function openSentry(
  { sentryDsn, sentryEnvironment }: SentryOptions,
  { service, version }: Pick<SentrySource, 'service' | 'version'>,
  onTrouble: (dropped: number, error: Error) => void,
): SentrySink | undefined {
  if (sentryDsn === undefined) return undefined;
  return new SentrySink(sentryDsn, { service, version, environment: sentryEnvironment }, onTrouble);
}

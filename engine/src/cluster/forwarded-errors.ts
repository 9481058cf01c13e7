import { ERRORS_PER_MINUTE, type ErrorReporter, RateCap, type UnexpectedError } from '@sluice/telemetry';

/**
 * The errors of an engine process, for its primary to report: the requests are not to wait while what does that is loaded.
 * As many a minute as would be reported at all.
 */
export class ForwardedErrors implements ErrorReporter {
  /** Errors that were more than that. */
  dropped = 0;
  private readonly cap = new RateCap(ERRORS_PER_MINUTE);

  constructor(private readonly forward: (error: UnexpectedError) => void) {}

  report(error: UnexpectedError): void {
    if (this.cap.take()) this.forward(error);
    else this.dropped++;
  }
}

import { describeThrown } from '@sluice/contract';
import type { EngineListener } from '@sluice/telemetry';

/** A listener is called in the middle of settling requests: one that throws must not leave the rest unanswered. */
export function shielded(listener: EngineListener): EngineListener {
  return (event) => {
    try {
      listener(event);
    } catch (error) {
      process.emitWarning(
        `the listener of an engine threw at ${event.type}: ${describeThrown(error).message}`,
      );
    }
  };
}

const REFUSAL_REPORT_EVERY_MS = 1000;

/** Reports at most one refusal a second: when Redis is full, every append is refused. */
export function throttledRefusals(listener: EngineListener): (code: string, reason: string) => void {
  let reportedAt = Number.NEGATIVE_INFINITY;
  return (code, reason) => {
    if (performance.now() - reportedAt < REFUSAL_REPORT_EVERY_MS) return;
    reportedAt = performance.now();
    listener({ type: 'append-refused', code, message: reason });
  };
}

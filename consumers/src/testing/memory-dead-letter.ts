import type { Dead } from '../settling/outcome.js';

/** The most fields of an entry that its dead letter keeps, as in bury.lua. */
const MOST_FIELDS = 2000;

/** What a dead letter says besides what the entry said. */
export interface Death {
  readonly outcome: Dead;
  readonly consumer: string;
  readonly group: string;
  readonly stream: string;
  readonly entryId: string;
  readonly firstFailedAt: number;
  readonly now: number;
}

/** The fields of a dead letter, as bury.lua writes them. */
export function deadLetterOf(fields: readonly Buffer[], death: Death): Buffer[] {
  const { reason, attempts, crashes, evidence } = death.outcome;
  const facts: Record<string, string> = {
    reason,
    attempts: String(attempts),
    crashes: String(crashes),
    error_name: evidence.name,
    error_message: evidence.message,
    error_stack: evidence.stack,
    first_failed_at: new Date(death.firstFailedAt).toISOString(),
    last_failed_at: new Date(death.now).toISOString(),
    consumer: death.consumer,
    group: death.group,
    source_stream: death.stream,
    source_id: death.entryId,
  };
  const texts = Object.entries(facts).flat();
  return [...fields.slice(0, MOST_FIELDS), ...texts.map((text) => Buffer.from(text))];
}

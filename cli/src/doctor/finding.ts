/** `error`: tasks can be lost, or are stuck. `warning`: it works, and will not for long, or not under load. */
export type Severity = 'ok' | 'note' | 'warning' | 'error';

/** What one check of the doctor has seen. */
export interface Finding {
  /** Which check; the same name always stands for the same question. */
  check: string;
  severity: Severity;
  finding: string;
  /** What to do about it; there is one for every warning and error. */
  remedy?: string;
}

/** The result of `sluice doctor`. */
export interface Diagnosis {
  /** By the clock of Redis: ISO 8601 in UTC. */
  at: string;
  streamName: string;
  findings: readonly Finding[];
  /** There is no error. */
  ok: boolean;
}

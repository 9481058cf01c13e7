export { type AuditOptions, audit } from './audit/audit.js';
export type { AuditFinding, AuditReport, Balance, StreamAudit } from './audit/report.js';
export type { FailureLimit } from './dlq/failure-limit.js';
export type { DeadLetter } from './dlq/letter.js';
export { type LetterFilter, readLetters } from './dlq/letters.js';
export { purge } from './dlq/purge.js';
export type { LetterRef, RedriveOptions, RedriveProgress, RedriveReport } from './dlq/redrive-options.js';
export type { CameBack } from './dlq/redriver.js';
export { redrive } from './dlq/rollout.js';

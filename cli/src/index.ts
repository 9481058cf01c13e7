export { type AuditOptions, audit } from './audit/audit.js';
export type { AuditFinding, AuditReport, Balance, StreamAudit } from './audit/report.js';

export type { DigestLine } from './digest/digest-line.js';
export { DigestReader } from './digest/digest-reader.js';
export { type DigestBounds, DigestWriter } from './digest/digest-writer.js';
export { default as handlers } from './handlers.js';
export type { ReplayOptions } from './replay/options.js';
export { type ReplayControl, type ReplayProgress, replay } from './replay/replay.js';
export { formatReport, isClean, type ReplayReport, type Tolerance } from './replay/report.js';
export { default as taskTypes } from './schemas.js';

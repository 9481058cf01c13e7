import type { RunState } from './control.js';

/** What a launcher that keeps everything running tells the command that started it. */
export type KeeperReport =
  | { type: 'progress'; line: string }
  | { type: 'running'; run: RunState }
  /** Another launcher has this checkout. */
  | { type: 'taken' }
  | { type: 'failed'; line: string }
  /** It was ended on request. */
  | { type: 'ended'; line: string };

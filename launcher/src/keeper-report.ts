import type { RunState } from './control.js';

/** What a launcher in the background tells the `make up` that started it. */
export type KeeperReport =
  | { type: 'progress'; line: string }
  | { type: 'running'; state: RunState }
  | { type: 'failed'; line: string };

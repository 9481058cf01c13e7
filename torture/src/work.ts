/** What a task asks its handler to do; the data of every task here. */
export interface Work {
  /** Number of the task: every one has its own. */
  n: number;
  /** @default 'work' */
  do?: Deed;
  /** Milliseconds that `work` takes, or that `retry-after` asks for. */
  ms?: number;
  /** Milliseconds that `work` takes when it is done again. @default as `ms` */
  againMs?: number;
  /** Does so on attempts up to this one, and just works on later ones. @default on all */
  until?: number;
}

export type Deed =
  | 'work'
  | 'throw'
  | 'throw-null'
  | 'throw-string'
  | 'throw-circular'
  | 'throw-bigint'
  | 'retry-after'
  | 'exit'
  | 'abort'
  | 'kill-process'
  | 'loop'
  | 'exhaust-heap'
  | 'unhandled-rejection'
  | 'never-settle';

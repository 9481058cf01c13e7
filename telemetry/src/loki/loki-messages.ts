/** What the shipping thread is started with. */
export interface LokiSetup {
  readonly endpoint: string;
  /** Labels of every line; the level is added to them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly limits: LokiLimits;
}

/** Bounds of the shipping; each has a default in `loki-shipper.ts`. */
export interface LokiLimits {
  /** Lines, and their bytes, that wait to be pushed; beyond, further ones are dropped. */
  readonly mostLines: number;
  readonly mostBytes: number;
  /** How long Loki may take to answer one push. */
  readonly pushTimeoutMs: number;
  /** How long lines are collected for one push. */
  readonly collectMs: number;
  /** The first wait after a failed push, and the longest: it doubles in between. */
  readonly firstBackOffMs: number;
  readonly lastBackOffMs: number;
}

/** What the shipping thread is told. */
export type ToLokiThread =
  | { readonly type: 'line'; readonly line: string }
  /** Push what is left, for so long; then say `closed`. */
  | { readonly type: 'close'; readonly withinMs: number };

/** What the shipping thread says. */
export type FromLokiThread =
  /** So many lines wait no more: pushed, or refused for good. */
  | { readonly type: 'settled'; readonly lines: number; readonly bytes: number; readonly refused: number }
  /** A push failed; it will be tried again unless its lines were refused. */
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'closed' };

/** Where a command reads and writes: the terminal, a pipe, or a test. */
export interface Terminal {
  /** Writes a result to standard output, with a line end. */
  print(text: string): void;
  /** Writes what goes on, and what went wrong, to standard error, with a line end. */
  say(text: string): void;
  /** Shows how far something is, in place of what was shown last. Nothing where nobody looks. */
  progress(text: string): void;
  /** Whether somebody can be asked. */
  readonly interactive: boolean;
  /** Asks, and resolves with what was typed. */
  ask(question: string): Promise<string>;
  /** Aborted when the user wants to stop (Ctrl-C): what is under way is finished, no more is begun. */
  readonly interrupted: AbortSignal;
  /** `$VISUAL` or `$EDITOR`. */
  readonly editor: string | undefined;
}

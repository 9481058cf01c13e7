import { type OptionNotes, resolveOptions, SluiceError } from '@sluice/contract';
import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { EXIT } from './exit-codes.js';
import type { Terminal } from './terminal.js';

/** What an option of a command says of itself, besides its TypeBox keywords. */
export interface FlagNotes extends OptionNotes {
  /** What stands for its value in the help: `<url>`. An option without one is a switch. */
  value?: string;
}

/** A property of a command's options: the flag `--<property>`. */
export type FlagSchema = TSchema & FlagNotes & { type?: string; default?: unknown };

/** A command as its file declares it: help, checks and defaults come from here. */
export interface CommandSpec<S extends TObject> {
  /** What may follow the words. */
  usage: readonly string[];
  /** What it does and what one should know before. */
  about: readonly string[];
  /** The arguments that are no flags. */
  arguments?: { name: string; most: number; description: string };
  options: S;
  examples: readonly (readonly [line: string, meaning: string])[];
  exitCodes: readonly (readonly [code: number, meaning: string])[];
  /** Does it; resolves with the exit code. */
  run(options: Static<S>, args: readonly string[], terminal: Terminal): Promise<number>;
}

/** A command whatever its options are. */
export interface Command extends Omit<CommandSpec<TObject>, 'run' | 'options'> {
  /** Its flags by name. */
  readonly flags: Readonly<Record<string, FlagSchema>>;
  /**
   * Checks what was given, fills in defaults, and does it.
   *
   * @throws SluiceError `INVALID_OPTIONS` with a fault per wrong option
   */
  start(given: Record<string, unknown>, args: readonly string[], terminal: Terminal): Promise<number>;
}

export function defineCommand<S extends TObject>({ run, options, ...spec }: CommandSpec<S>): Command {
  return {
    ...spec,
    flags: options.properties as Record<string, FlagSchema>, // as FlagSchema asks for it
    start: (given, args, terminal) => run(resolveOptions(options, given), args, terminal),
  };
}

/** A wrong command line. */
export function usageError(message: string): SluiceError {
  return new SluiceError('INVALID_OPTIONS', message);
}

/** A switch, off unless it is given. */
export function flag(description: string) {
  return Type.Boolean({ default: false, description });
}

/** The exit codes that all commands have. */
export const COMMON_EXIT_CODES = [
  [EXIT.usage, 'the command line is wrong; nothing was done'],
  [EXIT.unavailable, 'Redis cannot be reached or refused'],
] as const;

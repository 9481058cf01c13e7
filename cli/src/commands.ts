import type { Command } from './command.js';

/** A command before it is loaded: nobody who asks what there is waits for all of them. */
export interface CommandEntry {
  /** What is typed: `['dlq', 'retry']`. */
  readonly words: readonly string[];
  /** One line for the list of commands. */
  readonly summary: string;
  load(): Promise<Command>;
}

/** What there is, in the order of `sluice --help`. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    words: ['audit'],
    summary: 'proves that every accepted task is done, pending, scheduled, dead or dropped: lost 0',
    load: async () => (await import('./audit/audit-command.js')).auditCommand,
  },
  {
    words: ['dlq', 'list'],
    summary: 'dead letters, newest first, counted by type and reason',
    load: async () => (await import('./dlq/list-command.js')).listCommand,
  },
  {
    words: ['dlq', 'show'],
    summary: 'everything about one dead letter: error, stack, history, payload',
    load: async () => (await import('./dlq/show-command.js')).showCommand,
  },
  {
    words: ['dlq', 'retry'],
    summary: 'sends dead letters back to their stream: canary, rate, stops when failures come back',
    load: async () => (await import('./dlq/retry-command.js')).retryCommand,
  },
  {
    words: ['dlq', 'purge'],
    summary: 'deletes dead letters for good, and counts them as dropped',
    load: async () => (await import('./dlq/purge-command.js')).purgeCommand,
  },
  {
    words: ['doctor'],
    summary: 'finds what is set up wrong, or stuck, and says what to do about it',
    load: async () => (await import('./doctor/doctor-command.js')).doctorCommand,
  },
  {
    words: ['keys', 'create'],
    summary: 'makes an API key for the intake, and adds its line to the file of API keys',
    load: async () => (await import('./keys/create-command.js')).createKeyCommand,
  },
];

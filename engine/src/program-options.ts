import { Option, type PairCheck } from '@sluice/contract';
import type { Static } from 'typebox';
import { faultOfApiKeysFile } from './access/api-keys-file.js';
import {
  engineOptionPairs,
  engineOptions,
  engineProgramOptions,
  type ResolvedEngineOptions,
} from './options.js';

/** All that the `engine` program reads from its environment, so that everything wrong in it is told at once. */
export const allProgramOptions = Option.Object({
  ...engineOptions.properties,
  ...engineProgramOptions.properties,
});

type AllProgramOptions = Static<typeof allProgramOptions>;

/** Options of the program that are wrong only together, or only there. */
export const allProgramOptionPairs: readonly PairCheck<AllProgramOptions>[] = [
  ...engineOptionPairs,
  // Engine processes look at it themselves, since they have the last good text to fall back to.
  faultOfApiKeysFile,
  (options) =>
    options.port === 0
      ? { path: 'port', reason: 'is 0; allowed: from 1 to 65535, since all processes share the port' }
      : undefined,
  (options) =>
    options.metricsPort === options.port
      ? { path: 'metricsPort', reason: `is ${options.port}, the port of the intake; allowed: any other` }
      : undefined,
];

/** The options of an engine process among those of the program. */
export function engineOptionsOf(all: AllProgramOptions): ResolvedEngineOptions {
  const names = Object.keys(engineOptions.properties);
  const entries = Object.entries(all).filter(([name]) => names.includes(name));
  return Object.fromEntries(entries) as ResolvedEngineOptions; // each was checked as a part of the whole
}

import { Option } from '@sluice/contract';
import type { Static } from 'typebox';
import { consumerOptions, consumerProgramOptions, type ResolvedOptions } from './options.js';

/** All that the `consumers` program reads from its environment, so that everything wrong in it is told at once. */
export const allProgramOptions = Option.Object({
  ...consumerOptions.properties,
  ...consumerProgramOptions.properties,
});

/** The options of a consumer among those of the program. */
export function consumerOptionsOf(all: Static<typeof allProgramOptions>): ResolvedOptions {
  const names = Object.keys(consumerOptions.properties);
  const entries = Object.entries(all).filter(([name]) => names.includes(name));
  return Object.fromEntries(entries) as ResolvedOptions; // each was checked as a part of the whole
}

import type { RedisOptions } from '@sluice/testbed';
import type { Arena } from './arena.js';

/** One promise, put under the fault it is made for. */
export interface Scenario {
  readonly name: string;
  /** What is promised, in plain words. */
  readonly promise: string;
  /** Switches that break the promise on purpose. With each of them at least one finding must be `missed`. */
  readonly controls: Readonly<Record<string, string>>;
  /** What its Redis is started with. */
  readonly redis?: RedisOptions;
  run(arena: Arena): Promise<Finding[]>;
}

/** One bar: what was measured, and whether it held. */
export interface Finding {
  readonly what: string;
  readonly measured: string;
  readonly bar: string;
  readonly verdict: 'held' | 'missed' | 'skipped' | 'stated';
  /** It says how fast the machine was, too. The short form among the tests shows it and does not judge by it. */
  readonly timed?: boolean;
}

/** A figure that must not exceed its bar. */
export function atMost(what: string, measured: number, bar: number, unit = ''): Finding {
  return {
    what,
    measured: text(measured, unit),
    bar: `≤ ${text(bar, unit)}`,
    // Not `measured > bar`: what could not be measured (NaN) has not held.
    verdict: measured <= bar ? 'held' : 'missed',
  };
}

/** A time that must not be exceeded. */
export function within(what: string, measured: number, bar: number, unit: string): Finding {
  return { ...atMost(what, measured, bar, unit), timed: true };
}

/** A figure that must be reached. */
export function atLeast(what: string, measured: number, bar: number, unit = ''): Finding {
  const verdict = measured >= bar ? 'held' : 'missed';
  return { what, measured: text(measured, unit), bar: `≥ ${text(bar, unit)}`, verdict };
}

/** A figure that must be just this one. */
export function exactly(what: string, measured: number, bar: number, unit = ''): Finding {
  const verdict = measured === bar ? 'held' : 'missed';
  return { what, measured: text(measured, unit), bar: text(bar, unit), verdict };
}

/** How often something happened that happens only on a machine that stands still for a while. */
export function noneUnlessStill(what: string, measured: number): Finding {
  return { ...exactly(what, measured, 0), timed: true };
}

/** A figure without a bar, to judge the others by. */
export function stated(what: string, measured: string): Finding {
  return { what, measured, bar: '', verdict: 'stated' };
}

/** A bar that this machine cannot be put to. */
export function skipped(what: string, why: string): Finding {
  return { what, measured: why, bar: '', verdict: 'skipped' };
}

function text(value: number, unit: string): string {
  const number = value.toLocaleString('en-US', { maximumFractionDigits: 1 });
  return unit === '' ? number : `${number} ${unit}`;
}

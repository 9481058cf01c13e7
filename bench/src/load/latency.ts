import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Latencies of a load, in milliseconds. */
export interface Latency {
  p50: number;
  p99: number;
  p999: number;
  max: number;
}

/** Longest latency that is told apart; far beyond what any load here waits for. */
const HIGHEST_MICROSECONDS = 3_600_000_000;
const MICROSECONDS = 1000;

/** A histogram of microseconds; 3 significant digits. */
export function histogramOf(microseconds: Iterable<number> = []): RecordableHistogram {
  const histogram = createHistogram({ lowest: 1, highest: HIGHEST_MICROSECONDS, figures: 3 });
  for (const one of microseconds) histogram.record(Math.max(1, one)); // it knows no 0
  return histogram;
}

/** The percentiles of several rounds together: of all their requests, never an average of percentiles. */
export function merged(histograms: readonly RecordableHistogram[]): RecordableHistogram {
  const all = histogramOf();
  for (const one of histograms) all.add(one);
  return all;
}

export function latencyOf(histogram: RecordableHistogram): Latency {
  const at = (percentile: number): number => histogram.percentile(percentile) / MICROSECONDS;
  return { p50: at(50), p99: at(99), p999: at(99.9), max: histogram.max / MICROSECONDS };
}

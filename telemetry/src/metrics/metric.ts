/** What a figure is a number of. `1` is a number without a unit, or a state. */
export type MetricUnit =
  | 'seconds'
  | 'bytes'
  | 'ratio'
  | 'percent'
  | 'tasks'
  | 'requests'
  | 'tasks per second'
  | '1';

/**
 * One figure as Prometheus sees it. Its name has the prefix `sluice_`, its base unit, and `_total` if it only ever grows
 * (https://prometheus.io/docs/practices/naming/).
 */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly unit: MetricUnit;
  /** A sentence, without a line break. */
  readonly help: string;
  /** Names of labels. Each takes its values from a set that is known at the start, or that is bounded otherwise. */
  readonly labels: readonly string[];
  /** Of a histogram: upper bounds of its buckets but the last, which has none, rising. */
  readonly buckets?: readonly number[];
}

/** A value for each label of a metric. */
export type LabelsOf<M extends MetricDefinition> = Readonly<Record<M['labels'][number], string>>;

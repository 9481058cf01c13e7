import type { LabelsOf, MetricDefinition } from './metric.js';

/**
 * `Content-Type` of {@link Exposition.text}:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Figures in the text format of Prometheus, version 0.0.4. All lines of a metric follow one another, as it demands. */
export class Exposition {
  private readonly families = new Map<string, string[]>();

  /** Adds one value of a counter or a gauge. */
  add<const M extends MetricDefinition>(metric: M, labels: LabelsOf<M>, value: number): this {
    this.linesOf(metric).push(`${metric.name}${labelText(labels)} ${numberText(value)}`);
    return this;
  }

  /** Adds a histogram: a row of a `HistogramTable` with the buckets of the metric. */
  addHistogram<const M extends MetricDefinition>(metric: M, labels: LabelsOf<M>, row: Float64Array): this {
    const lines = this.linesOf(metric);
    const bounds = [...(metric.buckets ?? []), Number.POSITIVE_INFINITY];
    let count = 0;
    for (const [bucket, bound] of bounds.entries()) {
      count += row[bucket] ?? 0;
      lines.push(`${metric.name}_bucket${labelText({ ...labels, le: numberText(bound) })} ${count}`);
    }
    lines.push(`${metric.name}_sum${labelText(labels)} ${numberText(row[bounds.length] ?? 0)}`);
    lines.push(`${metric.name}_count${labelText(labels)} ${count}`);
    return this;
  }

  get text(): string {
    return [...this.families.values()].map((lines) => `${lines.join('\n')}\n`).join('');
  }

  private linesOf({ name, help, type }: MetricDefinition): string[] {
    const known = this.families.get(name);
    if (known !== undefined) return known;
    const lines = [
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} ${type}`,
    ];
    this.families.set(name, lines);
    return lines;
  }
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

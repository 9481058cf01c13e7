import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CheckResult } from './check.js';

export const METRICS_PAGE = 'docs/metrics.md';

interface Metric {
  name: string;
  type: string;
  unit: string;
  help: string;
  labels: readonly string[];
}

interface Catalogue {
  METRIC_GROUPS: readonly { heading: string; about: string; metrics: Readonly<Record<string, Metric>> }[];
}

interface StatsdNames {
  STATSD_NAMES: Readonly<Record<string, string>>;
}

/** docs/metrics.md, from the catalogue of the built telemetry package. */
export async function metricsPage(root: string): Promise<string> {
  // By path and not by door: the catalogue is read here as a file.
  const load = (file: string): Promise<unknown> =>
    import(pathToFileURL(join(root, 'telemetry/dist/metrics', file)).href);
  const { METRIC_GROUPS } = (await load('catalogue.js')) as Catalogue;
  const { STATSD_NAMES } = (await load('statsd-names.js')) as StatsdNames;
  const sections = METRIC_GROUPS.map(({ heading, about, metrics }) => {
    const lines = Object.values(metrics).map(lineOf);
    if (lines.length === 0) throw new Error(`${heading} has no metrics`);
    return `## ${heading}\n\n${about}\n\n${TABLE_HEAD}\n${lines.join('\n')}\n`;
  });
  const statsd = Object.entries(STATSD_NAMES).map(([name, type]) => `| \`${name}\` | ${type} |`);
  return `# Metrics

Written by \`npm run docs\` from \`telemetry/src/metrics\`. \`GET /metrics\` on the port for operations, in the text format of
Prometheus. Label values come from fixed sets: nothing a client says becomes one.

${sections.join('\n')}
## StatsD

With \`STATSD_HOST\`, every second, each name behind \`STATSD_PREFIX\`.

| Name | Type |
|---|---|
${statsd.join('\n')}
`;
}

/** Whether docs/metrics.md in the repository is the generated one. */
export async function checkMetricsPage(root: string): Promise<CheckResult> {
  const stale = (await metricsPage(root)) !== readFileSync(join(root, METRICS_PAGE), 'utf8');
  return {
    summary: `${METRICS_PAGE} is the catalogue of metrics`,
    faults: stale ? [`${METRICS_PAGE} does not say what the catalogue says: run npm run docs`] : [],
  };
}

const TABLE_HEAD = '| Name | Type | Unit | Labels | Meaning |\n|---|---|---|---|---|';

function lineOf({ name, type, unit, labels, help }: Metric): string {
  const labelNames = labels.map((label) => `\`${label}\``).join(', ');
  return `| \`${name}\` | ${type} | ${unit === '1' ? '' : unit} | ${labelNames} | ${help.replaceAll('|', '\\|')} |`;
}

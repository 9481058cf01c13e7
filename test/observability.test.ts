import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { METRIC_GROUPS } from '@sluice/telemetry';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, 'deploy/observability');

const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' });
const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook: string };
}

interface Panel {
  title: string;
  targets: { expr: string }[];
}

const rules = (parse(read('prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const dashboards = files.filter(
  (file) => file.startsWith(join('grafana', 'dashboards')) && file.endsWith('.json'),
);
const panels = dashboards.flatMap((file) => (JSON.parse(read(file)) as { panels: Panel[] }).panels);

/** Every series the programs serve, with its labels: of a histogram, what Prometheus makes of it. */
const served = new Map<string, readonly string[]>();
for (const { metrics } of METRIC_GROUPS) {
  for (const { name, type, labels } of Object.values(metrics)) {
    if (type !== 'histogram') served.set(name, labels);
    else {
      served.set(`${name}_bucket`, [...labels, 'le']);
      served.set(`${name}_sum`, labels);
      served.set(`${name}_count`, labels);
    }
  }
}

/** Labels that Prometheus adds. */
const ADDED = ['job', 'instance'];

/** What a query names that no program serves, or by labels it has not. */
function unserved(query: string): string[] {
  const names = [...query.matchAll(/\b(sluice_\w+)(?:\{([^}]*)\})?/g)];
  return names.flatMap(([, name = '', matchers = '']) => {
    const labels = served.get(name);
    if (labels === undefined) return [name];
    const used = [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
    return used
      .filter((label) => !labels.includes(label) && !ADDED.includes(label))
      .map((label) => `${name}.${label}`);
  });
}

const promtool = spawnSync('promtool', ['--version']).error === undefined;
const needsPromtool = promtool ? {} : { skip: 'promtool is not installed (Debian: prometheus)' };

describe('deploy/observability', () => {
  it('has YAML and JSON that can be read', () => {
    const checked = files.filter((file) => /\.(ya?ml|json)$/.test(file));
    for (const file of checked) {
      if (file.endsWith('.json')) JSON.parse(read(file));
      else parse(read(file), { strict: true });
    }
    assert.ok(checked.length >= 10, `${checked.length} files`);
  });

  it('asks for metrics and labels that are served', () => {
    const queries = [
      ...rules.map(({ expr }) => expr),
      ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ];
    assert.ok(queries.length > 50, `${queries.length} queries`);
    assert.deepEqual(queries.flatMap(unserved), []);
    assert.deepEqual(unserved('rate(sluice_nothing_total[5m]) + sluice_shed_total{colour="red"}'), [
      'sluice_nothing_total',
      'sluice_shed_total.colour',
    ]);
  });

  it('has every metric in a dashboard or an alert, or a reason why not', () => {
    /** Looked at when something is searched for, by hand. */
    const elsewhere = new Set([
      'sluice_tasks_replayed_total',
      'sluice_in_flight_bytes',
      'sluice_entries_trimmed_total',
      'sluice_drain_rate',
      'sluice_stream_entries_added_total',
      'sluice_scheduled_tasks',
      'sluice_schedule_tasks_total',
      'sluice_tasks_read_total',
      'sluice_heap_used_bytes',
      'sluice_build_info',
      'sluice_ledger_tasks_total', // dashboards have what the consumers count, which has the task type
      'sluice_task_breaker_state', // sluice_breaker_state is that of the whole group
    ]);
    const asked = [
      ...rules.map(({ expr }) => expr),
      ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ].join();
    const missing = METRIC_GROUPS.flatMap(({ metrics }) =>
      Object.values(metrics).map(({ name }) => name),
    ).filter((name) => !asked.includes(name) && !elsewhere.has(name));
    assert.deepEqual(missing, []);
  });

  it('has a section in docs/operations.md for each alert, and no other', () => {
    const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
    const sections = [...page.matchAll(/^### (\w+)$/gm)].map(([, name = '']) => name);
    assert.deepEqual([...sections].sort(), rules.map(({ alert }) => alert).sort());
    for (const { alert, annotations, labels } of rules) {
      assert.equal(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`);
      assert.match(labels.severity, /^(critical|warning)$/, alert);
      assert.ok(annotations.summary && annotations.description, alert);
    }
    for (const [, anchor = ''] of page.matchAll(/\]\(#(\w+)\)/g)) {
      assert.ok(
        sections.some((name) => name.toLowerCase() === anchor),
        `#${anchor} leads nowhere`,
      );
    }
  });

  it('names commands of sluice that there are', () => {
    const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
    const help = execFileSync(process.execPath, [join(ROOT, 'cli/bin/sluice.js'), '--help'], {
      encoding: 'utf8',
    });
    const commands = [...page.matchAll(/`sluice ((?:dlq )?[a-z]+)/g)].map(([, command = '']) => command);
    assert.ok(commands.length > 10);
    for (const command of new Set(commands)) assert.ok(help.includes(`  ${command}  `), `sluice ${command}`);
  });

  it('has no secret in it', () => {
    for (const file of files.filter((one) => /\.\w+$/.test(one))) {
      assert.doesNotMatch(read(file), /hooks\.slack\.com|\b\d{8,}:[\w-]{30,}|password:\s*\S/i, file);
    }
    const { receivers } = parse(read('alertmanager/alertmanager.yml')) as { receivers: object[] };
    const text = JSON.stringify(receivers);
    assert.ok(text.includes('api_url_file') && text.includes('bot_token_file'));
    assert.doesNotMatch(text, /"(api_url|bot_token)":/);
  });

  it('mounts files that are there', () => {
    const { services } = parse(read('compose.yml'), { merge: true }) as {
      services: Record<string, { volumes?: string[] }>;
    };
    for (const { volumes = [] } of Object.values(services)) {
      for (const volume of volumes) {
        const [from = ''] = volume.split(':');
        if (!from.startsWith('./')) continue;
        const path = from.slice(2);
        assert.ok(
          files.some((file) => file === path || file.startsWith(`${path}/`)),
          from,
        );
      }
    }
  });

  it('is right for promtool: configuration, rules, and what the rules do', needsPromtool, () => {
    const inFolder = { cwd: join(FOLDER, 'prometheus'), encoding: 'utf8' } as const;
    execFileSync('promtool', ['check', 'config', 'prometheus.yml'], inFolder);
    execFileSync('promtool', ['check', 'rules', 'alerts.yml'], inFolder);
    assert.match(execFileSync('promtool', ['test', 'rules', 'alerts.test.yml'], inFolder), /SUCCESS/);
  });
});

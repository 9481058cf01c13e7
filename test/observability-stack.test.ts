import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const FOLDER = fileURLToPath(new URL('../../deploy/observability', import.meta.url));
const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');

interface Service {
  image: string;
  command?: string[];
  ports?: string[];
  volumes?: string[];
  secrets?: string[];
}

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
  secrets: Record<string, { file: string }>;
}

interface Panel {
  id: number;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource: { type: string; uid: string };
  targets: { refId: string; expr: string }[];
}

interface Dashboard {
  uid: string;
  title: string;
  schemaVersion: number;
  panels: Panel[];
}

const compose = parse(read('compose.yml')) as Compose;
const services = Object.entries(compose.services);
const dashboards = readdirSync(join(FOLDER, 'grafana/dashboards')).map(
  (file) => JSON.parse(read(`grafana/dashboards/${file}`)) as Dashboard,
);
const datasources = (
  parse(read('grafana/provisioning/datasources/sluice.yml')) as {
    datasources: { uid: string; type: string; url: string }[];
  }
).datasources;

/** Addresses of other services that a file names, `host:port`. */
const addressesIn = (file: string): string[] =>
  [...read(file).matchAll(/(?:endpoint:|url: "?http:|targets: \["|url = "http:)\W*([a-z-]+):\d+/g)].map(
    ([, host = '']) => host,
  );

const unique = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

describe('the services of compose.yml', () => {
  it('are pinned to a version each, and open to this machine only', () => {
    for (const [name, { image, ports = [] }] of services) {
      assert.match(image, /:v?\d+\.\d+\.\d+$/, name);
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, name);
    }
    assert.ok(services.length >= 7);
    assert.ok(unique(services.flatMap(([, { ports = [] }]) => ports.map((port) => port.split(':')[1]))));
  });

  it('use no volume and no secret that is not declared', () => {
    for (const [name, { volumes = [], secrets = [] }] of services) {
      for (const volume of volumes) {
        const [from = ''] = volume.split(':');
        assert.ok(from.startsWith('.') || from in compose.volumes, `${name}: ${from}`);
      }
      for (const secret of secrets) assert.ok(secret in compose.secrets, `${name}: ${secret}`);
    }
  });

  it('are told of a configuration that is mounted', () => {
    let configured = 0;
    for (const [name, { command = [], volumes = [] }] of services) {
      for (const word of command) {
        const path = /(?:^|=)(\/etc\/\S+)$/.exec(word)?.[1];
        if (path === undefined) continue;
        configured++;
        const mounted = volumes.some((volume) => {
          const [from = '', to = ''] = volume.split(':');
          return path.startsWith(to) && existsSync(join(FOLDER, from, path.slice(to.length)));
        });
        assert.ok(mounted, `${name}: ${path}`);
      }
    }
    assert.ok(configured >= 5);
  });

  it('find one another: every address in a configuration is a service, or the engine or consumers on the host', () => {
    const { extra_hosts: hosts } = compose.services.prometheus as Service & { extra_hosts: string[] };
    const known = new Set([...Object.keys(compose.services), ...hosts.map((host) => host.split(':')[0])]);
    const named = [
      'prometheus/prometheus.yml',
      'otel/collector.yml',
      'loki/collector.alloy',
      'grafana/provisioning/datasources/sluice.yml',
    ].flatMap(addressesIn);
    assert.ok(named.length >= 6, named.join());
    assert.deepEqual(
      named.filter((host) => !known.has(host)),
      [],
    );
  });
});

describe('the dashboards', () => {
  it('have ids and places of their own, and ask a data source that is provisioned', () => {
    assert.ok(unique(dashboards.map(({ uid }) => uid)) && dashboards.length === 2);
    for (const { title, schemaVersion, panels } of dashboards) {
      assert.ok(schemaVersion >= 36, title); // from which on a data source is an object with its uid
      assert.ok(unique(panels.map(({ id }) => id)), title);
      assert.ok(unique(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)), title);
      for (const panel of panels) {
        const { x, w } = panel.gridPos;
        assert.ok(x + w <= 24, panel.title);
        assert.ok(unique(panel.targets.map(({ refId }) => refId)), panel.title);
        const source = datasources.find(({ uid }) => uid === panel.datasource.uid);
        assert.equal(source?.type, panel.datasource.type, panel.title);
      }
    }
  });
});

const version = spawnSync('amtool', ['--version'], { encoding: 'utf8' }).stdout ?? '';
const needsAmtool =
  version === '' ? { skip: 'amtool is not installed (Debian: prometheus-alertmanager)' } : {};

/** The configuration as the amtool of this machine can read it. */
function alertmanagerConfig(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-alertmanager-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'alertmanager.yml');
  const minor = Number(/version 0\.(\d+)\./.exec(version)?.[1] ?? 0);
  const text = read('alertmanager/alertmanager.yml');
  // `bot_token_file` came with 0.26; compose.yml runs a later one.
  writeFileSync(path, minor < 26 ? text.replace(/bot_token_file: .*/, 'bot_token: none') : text);
  return path;
}

describe('alertmanager.yml', () => {
  it('is right for amtool, and sends critical alerts to Telegram, too', needsAmtool, (t) => {
    const config = alertmanagerConfig(t);
    execFileSync('amtool', ['check-config', config], { stdio: 'pipe' });
    const receiverOf = (severity: string): string => {
      const words = ['config', 'routes', 'test', `--config.file=${config}`, `severity=${severity}`];
      return execFileSync('amtool', words, { encoding: 'utf8', stdio: 'pipe' }).trim();
    };
    assert.equal(receiverOf('critical'), 'slack-and-telegram');
    assert.equal(receiverOf('warning'), 'slack');
  });

  it('mutes of an engine that is down only its own alerts: another replica may have its own trouble', () => {
    const { inhibit_rules: rules } = parse(read('alertmanager/alertmanager.yml')) as {
      inhibit_rules: { source_matchers: string[]; equal?: string[] }[];
    };
    const ofEngines = rules.filter(({ source_matchers }) => source_matchers.join().includes('EngineDown'));
    assert.deepEqual(
      ofEngines.map(({ equal }) => equal),
      [['instance']],
    );
  });

  it('reads secrets that compose.yml hands to it', () => {
    const files = [...read('alertmanager/alertmanager.yml').matchAll(/\/run\/secrets\/(\w+)/g)];
    assert.deepEqual(
      [...new Set(files.map(([, name]) => name))].sort(),
      [...(compose.services.alertmanager?.secrets ?? [])].sort(),
    );
    assert.equal(files.length, 2);
  });
});

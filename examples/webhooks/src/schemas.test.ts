import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Compile } from 'typebox/compile';
import { typeOf } from './replay/bodies.js';
import taskTypes from './schemas.js';

const SAMPLES = new URL('../sample-bodies/', import.meta.url);
/** 273 real bodies (octokit/webhooks), where a checkout has them beside it. */
const REAL_BODIES = new URL('../../../../shared/data/github-webhooks/', import.meta.url);

const validators = new Map(taskTypes.map(({ name, data }) => [name, Compile(data)]));

function faultsOf(type: string, body: unknown): string[] {
  return [...(validators.get(type)?.Errors(body) ?? [])].map(
    (fault) => `${fault.instancePath} ${fault.message}`,
  );
}

/** What is wrong with the bodies of a folder, and how many of them have a schema. */
function checkFolder(folder: URL): { files: number; typed: number; faults: string[] } {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const typed = names.filter((name) => validators.has(typeOf(name)));
  const faults = typed.flatMap((name) =>
    faultsOf(typeOf(name), JSON.parse(readFileSync(new URL(name, folder), 'utf8'))).map(
      (fault) => `${name}: ${fault}`,
    ),
  );
  return { files: names.length, typed: typed.length, faults };
}

function sample(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(name, SAMPLES), 'utf8'));
}

describe('the schemas', () => {
  it('accept every sample body, and every schema has one', () => {
    assert.deepEqual(checkFolder(SAMPLES), { files: 12, typed: 10, faults: [] });
    const seen = new Set(readdirSync(SAMPLES).map(typeOf));
    for (const { name } of taskTypes) assert.ok(seen.has(name), `no sample for ${name}`);
  });

  it('accept every real body', (t) => {
    if (!existsSync(REAL_BODIES)) return t.skip('no real bodies beside this checkout');
    const { files, typed, faults } = checkFolder(REAL_BODIES);
    assert.deepEqual(faults, []);
    assert.ok(files >= 273 && typed >= 90, `${typed} of ${files} bodies have a schema`);
  });

  it('let fields and actions pass that GitHub may add', () => {
    const body = { ...sample('issues.opened.json'), action: 'teleported', invented_field: { deep: [1] } };
    assert.deepEqual(faultsOf('github.issues', body), []);
  });

  it('refuse a body that lacks what its handler reads', () => {
    const cases: [file: string, path: string[]][] = [
      ['push.branch.json', ['commits']],
      ['push.branch.json', ['repository', 'full_name']],
      ['issues.opened.json', ['issue', 'number']],
      ['issue_comment.created.json', ['comment', 'user', 'login']],
      ['pull_request.opened.json', ['pull_request', 'merged']],
      ['pull_request.opened.json', ['pull_request', 'base', 'ref']],
      ['release.published.json', ['release', 'tag_name']],
      ['check_run.failed.json', ['check_run', 'conclusion']],
      ['check_run.failed.json', ['sender', 'login']],
    ];
    for (const [file, path] of cases) {
      const faults = faultsOf(typeOf(file), without(sample(file), path));
      assert.ok(
        faults.some((fault) => fault.includes(path.at(-1) ?? '')),
        `${file} without ${path.join('.')}: ${faults.join('; ') || 'accepted'}`,
      );
    }
  });

  it('refuse what is no commit id, and a repository without an owner', () => {
    assert.notEqual(faultsOf('github.push', { ...sample('push.branch.json'), after: 'HEAD' }).length, 0);
    const homeless = { ...sample('push.branch.json'), repository: { full_name: 'paper-kite' } };
    assert.notEqual(faultsOf('github.push', homeless).length, 0);
  });
});

function without(body: Record<string, unknown>, [key, ...rest]: string[]): Record<string, unknown> {
  if (key === undefined) return body;
  const { [key]: value, ...others } = body;
  if (rest.length === 0) return others;
  return { ...others, [key]: without(value as Record<string, unknown>, rest) }; // an object, by the table above
}

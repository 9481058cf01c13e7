import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { digestOfApiKey, parseApiKeys } from '@sluice/contract';
import { runHere, runProgram } from './fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = () => join(folder, `keys-${files++}`);

const create = (args: readonly string[], env: Record<string, string> = {}) =>
  runHere(['keys', 'create', ...args], env);

test('prints the key alone to standard output, and adds its line, which does not hold it', async () => {
  const file = newFile();
  const shop = await runProgram([
    'keys',
    'create',
    '--name',
    'shop',
    '--scopes',
    'mail,default',
    '--file',
    file,
  ]);
  assert.equal(shop.code, 0);
  const key = shop.stdout.trim();
  assert.match(shop.stdout, /^sluice_[\w-]{43}\n$/);
  assert.equal(shop.stderr, `this is the only time it is shown; added to ${file}: shop, for mail,default\n`);
  const text = readFileSync(file, 'utf8');
  assert.deepEqual(parseApiKeys(text), [
    { name: 'shop', scopes: ['mail', 'default'], digest: digestOfApiKey(key) },
  ]);
  assert.ok(!text.includes(key));
});

test('adds to what is there, also after a last line without an end, and finds the file by its variable', async () => {
  const file = newFile();
  writeFileSync(file, `# ours\nold * ${'a'.repeat(64)}`);
  const { code } = await create(['--name', 'new', '--scopes', '*'], { API_KEYS_FILE: file });
  assert.equal(code, 0);
  const text = readFileSync(file, 'utf8');
  assert.deepEqual(
    parseApiKeys(text).map(({ name, scopes }) => [name, scopes]),
    [
      ['old', '*'],
      ['new', '*'],
    ],
  );
  assert.match(text, /^# ours\n/);
});

test('without a file it shows the line to add', async () => {
  const { stdout, stderr, code } = await create(['--name', 'ops', '--scopes', '*'], { API_KEYS_FILE: '' });
  assert.equal(code, 0);
  const line = stderr.split('\n')[1] ?? '';
  assert.deepEqual(parseApiKeys(line), [{ name: 'ops', scopes: '*', digest: digestOfApiKey(stdout.trim()) }]);
});

test('prints JSON for programs', async () => {
  const file = newFile();
  const { stdout } = await create(['--name', 'ci', '--scopes', 'a,b', '--file', file, '--json']);
  const { key, line, ...rest } = JSON.parse(stdout);
  assert.deepEqual(rest, { name: 'ci', scopes: ['a', 'b'], file });
  assert.equal(line, `ci a,b ${digestOfApiKey(key)}`);
});

test('what is wrong is refused in one line; no key is shown and the file stays as it is', async () => {
  const file = newFile();
  const before = `shop * ${'a'.repeat(64)}\n`;
  writeFileSync(file, before);
  const broken = newFile();
  writeFileSync(broken, 'my-secret\n');
  for (const [args, complaint] of [
    [['--scopes', '*'], /^sluice keys create: --name is not set; allowed: 1 to 64 letters/],
    [['--name', 'a'], /^sluice keys create: --scopes is not set; allowed: \* or task types/],
    [['--name', 'a b', '--scopes', '*'], /^sluice keys create: --name is "a b"; allowed: /],
    [['--name', 'a', '--scopes', 'x, y'], /^sluice keys create: --scopes is "x, y"; allowed: /],
    [
      ['--name', 'shop', '--scopes', '*'],
      /^sluice keys create: --name is "shop", which .* has already; allowed/,
    ],
    [['--name', 'a', '--scopes', '*', '--file', broken], /^sluice keys create: .*: line 1 has 1 fields; /],
    [['--name', 'a', '--scopes', '*', '--file', folder], /^sluice keys create: --file is ".*": EISDIR/],
    [['--name', 'a', '--scopes', '*', 'b'], /^sluice keys create: no argument is taken/],
  ] as const) {
    const { code, stdout, stderr } = await create(args, { API_KEYS_FILE: file });
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, complaint);
    assert.match(stderr, /^[^\n]*\n$/);
    assert.ok(!stderr.includes('my-secret'));
  }
  assert.equal(readFileSync(file, 'utf8'), before);
});

test('explains itself, with examples and exit codes', async () => {
  const { code, stdout } = await create(['--help']);
  assert.equal(code, 0);
  for (const part of [
    'sluice keys create --name',
    'Options\n',
    'Examples\n',
    'Exit codes\n',
    '--file <path>',
  ]) {
    assert.ok(stdout.includes(part), `${part} in\n${stdout}`);
  }
});

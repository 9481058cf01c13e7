import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { askLauncher } from './running.js';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-running-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function sayTo(t: TestContext, lines: string): Promise<string> {
  const path = join(folderFor(t), 'control.sock');
  const server = createServer((client) => client.on('error', () => undefined).write(lines));
  await new Promise<void>((listening) => server.listen(relative(process.cwd(), path), listening));
  t.after(() => server.close());
  return path;
}

describe('askLauncher', () => {
  it('takes from what the launcher says where engine and Redis are', async (t) => {
    const run = { url: 'http://localhost:8000', opsUrl: '', redisUrl: 'redis://localhost:6380' };
    const path = await sayTo(t, `${JSON.stringify({ phase: 'running', run })}\n`);
    assert.deepEqual(await askLauncher(path), {
      url: 'http://localhost:8000',
      redisUrl: 'redis://localhost:6380',
    });
  });

  it('takes nothing from a launcher that is still starting', async (t) => {
    assert.deepEqual(await askLauncher(await sayTo(t, '{"phase":"starting"}\n')), {});
  });

  it('has nothing to say when no launcher runs, or one left its socket behind', async (t) => {
    const folder = folderFor(t);
    writeFileSync(join(folder, 'left-behind'), '');
    assert.deepEqual(await askLauncher(join(folder, 'none')), {});
    assert.deepEqual(await askLauncher(join(folder, 'left-behind')), {});
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

// Behind the door of the package: found from the compiled test.
const { Standby }: typeof import('../dist/cluster/standby.js') = await import(
  new URL('../../dist/cluster/standby.js', import.meta.url).href
);

test('the process that was started ahead is taken once', async () => {
  const standby = new Standby([]);
  const child = standby.take();
  assert.ok(child !== undefined);
  assert.equal(standby.take(), undefined);
  child.disconnect();
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, 'without its primary it ends');
});

test('one that ended while the primary loaded is not taken: another one is to be started', async () => {
  const standby = new Standby(['--no-such-argument-of-node']);
  const held = setInterval(() => {}, 1000); // it keeps nobody waiting
  const pid = standby.pid;
  assert.ok(pid !== undefined);
  while (isThere(pid)) await new Promise(setImmediate);
  clearInterval(held);
  assert.equal(standby.take(), undefined);
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

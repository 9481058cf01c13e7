import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { freePort } from '@sluice/testbed';
import { TASK_EXCHANGE } from '#bench/load/closed-loop.js';
import { findBun } from '#bench/peers/bun.js';
import { startForeignProgram } from '#bench/peers/foreign-program.js';
import {
  expressBullmqPeer,
  fastifyBullmqPeer,
  fastifyIoredisPeer,
  httpIoredisPeer,
} from '#bench/peers/node-apps.js';
import type { Peer, RunningPeer } from '#bench/peers/peer.js';
import { findFastapi, findStarlette } from '#bench/peers/python.js';
import { findWebdis } from '#bench/peers/webdis.js';

const HEADERS = { 'Content-Type': 'application/json' };
const OURS = [fastifyIoredisPeer, httpIoredisPeer, fastifyBullmqPeer, expressBullmqPeer];
const INSTALLED_OR_NOT = { findBun, findWebdis, findStarlette, findFastapi };

/** Puts a few tasks in, and has the books checked. */
async function storesWhatItAccepts(t: TestContext, peer: Peer): Promise<RunningPeer> {
  const server = await peer.start();
  t.after(() => server.stop());
  const { method, status } = server.exchange ?? TASK_EXCHANGE;
  for (let n = 0; n < 3; n++) {
    const body = JSON.stringify({ data: { n } });
    const response = await fetch(server.url, { method, headers: HEADERS, body });
    assert.equal(response.status, status, server.log());
    await response.text();
  }
  await server.verify(3, 0);
  return server;
}

for (const start of OURS) {
  const peer = start(false);
  test(`${peer.name} stores what it answers 202, and refuses what has no data`, async (t) => {
    assert.match(peer.madeOf ?? '', /^(\w+ \d+\.\d+\.\d+(, )?)+$/);
    const { url, log, verify } = await storesWhatItAccepts(t, peer);
    const response = await fetch(url, { method: 'POST', headers: HEADERS, body: '{"n":1}' });
    assert.equal(response.status, 400, log());
    await verify(3, 0);
  });
}

test('a 202 without its job in the queue of BullMQ is found out', async (t) => {
  const { verify } = await storesWhatItAccepts(t, fastifyBullmqPeer(false));
  await assert.rejects(verify(4, 0), /^BenchFault: 1 of 4 tasks were answered 202/);
});

for (const [name, find] of Object.entries(INSTALLED_OR_NOT)) {
  test(`${name}: stores what it accepts, or says what to install`, async (t) => {
    const found = await find(false);
    if ('peer' in found) await storesWhatItAccepts(t, found.peer);
    else assert.match(found.missing, /^.+: not installed; (apt-get|npm) install /);
  });
}

test('a foreign program counts as started when it listens', async () => {
  const port = await freePort();
  const server = `require('node:http').createServer((q, s) => s.end('hello')).listen(${port}, '127.0.0.1')`;
  const program = { name: 'server', command: process.execPath, args: ['-e', server], port };
  const { url, stop } = await startForeignProgram(program);
  assert.equal(await (await fetch(url)).text(), 'hello');
  await stop();
  await assert.rejects(fetch(url));
});

test('a foreign program that ends before it listens, or is not there, is no server', async () => {
  const port = await freePort();
  const failing = {
    name: 'failing',
    command: process.execPath,
    args: ['-e', 'throw new Error("why")'],
    port,
  };
  await assert.rejects(startForeignProgram(failing), /failing ended with exit code 1[\s\S]*Error: why/);
  await assert.rejects(startForeignProgram({ ...failing, command: 'no-such-program' }), /no-such-program/);
});

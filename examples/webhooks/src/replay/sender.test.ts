import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Body, bodyOf } from './bodies.js';
import type { Answer } from './intake-client.js';
import { Ledger } from './ledger.js';
import { sendAll } from './sender.js';

const bodies = ['push.json', 'star.json'].map((name) => bodyOf(name, Buffer.from('{}'), true));
const options = { times: 1, connections: 2, rate: 0, retryMs: 60_000, signal: new AbortController().signal };

const REFUSED_503: Answer = { kind: 'refused', status: 503, code: 'OVERLOADED', retryAfterMs: 0 };
const REFUSED_422: Answer = {
  kind: 'refused',
  status: 422,
  code: 'VALIDATION_ERROR',
  retryAfterMs: undefined,
};
const RESET: Answer = { kind: 'unconfirmed', reason: 'ECONNRESET' };
const NO_ENGINE: Answer = { kind: 'unreachable', reason: 'ECONNREFUSED' };

/** Gives the listed answers in turn, then accepts everything. */
function intake(answers: Answer[]) {
  const sent: string[] = [];
  let running = 0;
  const seen = { sent, most: 0 };
  async function send(body: Body): Promise<Answer> {
    sent.push(body.fileName);
    running += 1;
    seen.most = Math.max(seen.most, running);
    await new Promise(setImmediate);
    running -= 1;
    return answers.shift() ?? { kind: 'accepted', taskId: `task-${sent.length}`, ms: 1 };
  }
  return { send, seen };
}

describe('sendAll', () => {
  it('sends every body as often as asked, with no more requests at once than connections', async () => {
    const { send, seen } = intake([]);
    const ledger = new Ledger();
    await sendAll(bodies, { send }, ledger, { ...options, times: 5, connections: 3 });
    assert.deepEqual(seen.sent.toSorted(), [...Array(5).fill('push.json'), ...Array(5).fill('star.json')]);
    assert.equal(seen.most, 3);
    assert.deepEqual([ledger.sent, ledger.accepted], [10, 10]);
  });

  it('sends again after 503, a broken connection and none, and counts each for what it is', async () => {
    const { send } = intake([REFUSED_503, REFUSED_503, RESET, NO_ENGINE]);
    const ledger = new Ledger();
    await sendAll(bodies, { send }, ledger, options);
    assert.equal(ledger.accepted, 2);
    assert.deepEqual(ledger.refused, { OVERLOADED: 2 });
    assert.deepEqual([ledger.unconfirmed, ledger.unreachable, ledger.abandoned], [1, 1, 0]);
    assert.equal(ledger.sent, ledger.accepted + 2 + ledger.unconfirmed);
  });

  it('does not send again what was refused for good', async () => {
    const { send, seen } = intake([REFUSED_422]);
    const ledger = new Ledger();
    await sendAll(bodies, { send }, ledger, options);
    assert.equal(seen.sent.length, 2);
    assert.deepEqual([ledger.accepted, ledger.abandoned], [1, 1]);
    assert.deepEqual(ledger.refused, { VALIDATION_ERROR: 1 });
  });

  it('gives a task up once the next try would come too late', async () => {
    const { send, seen } = intake(Array(2).fill({ ...REFUSED_503, retryAfterMs: 1_000 }));
    const ledger = new Ledger();
    await sendAll(bodies, { send }, ledger, { ...options, retryMs: 0 });
    assert.equal(seen.sent.length, 2);
    assert.deepEqual([ledger.accepted, ledger.abandoned], [0, 2]);
  });

  it('starts no task and waits for none once it is stopped', async () => {
    const { send, seen } = intake([]);
    const stop = new AbortController();
    stop.abort();
    await sendAll(bodies, { send }, new Ledger(), { ...options, signal: stop.signal });
    assert.equal(seen.sent.length, 0);
  });
});

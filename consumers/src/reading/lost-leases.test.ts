import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ConsumerEvent } from '@sluice/telemetry';
import { LeaseLost } from '../handlers/errors.js';
import { laneKeys } from '../redis/group.js';
import { newBoard, ThreadBoard } from '../thread/thread-protocol.js';
import { Lane } from './entry.js';
import { HeldEntries } from './held-entries.js';
import { Lanes } from './lanes.js';
import { loseLeases } from './lost-leases.js';

describe('loseLeases', () => {
  let held: HeldEntries;
  let lanes: Lanes;
  let events: ConsumerEvent[];

  beforeEach(() => {
    const [keys] = laneKeys('tasks:stream', 'processors', ['default']);
    assert.ok(keys !== undefined);
    lanes = new Lanes([new Lane(0, keys, 1)], 1); // one place: the second entry waits
    held = new HeldEntries(new ThreadBoard(newBoard(4)));
    events = [];
  });

  function add(id: string, deliveries = 1) {
    const [lane] = lanes.all;
    assert.ok(lane !== undefined);
    const entry = held.holdAgain(lane, id, [], deliveries, 0, 0);
    lanes.add(entry);
    return entry;
  }
  const lose = (...lost: { id: string; deliveries: number }[]) =>
    loseLeases(
      lost.map((one) => ({ lane: 0, ...one })),
      held,
      lanes,
      (event) => events.push(event),
    );

  it('gives what runs a reason to stop, once, and forgets what waits', () => {
    const running = add('1-0');
    lanes.next();
    add('2-0');
    running.controller = new AbortController();
    lose({ id: '1-0', deliveries: 1 }, { id: '2-0', deliveries: 1 });
    lose({ id: '1-0', deliveries: 1 });
    assert.ok(running.controller.signal.reason instanceof LeaseLost);
    assert.equal(lanes.waiting, 0);
    assert.deepEqual([...held], [running]);
    assert.deepEqual(events, [{ type: 'leases-lost', stream: 'tasks:stream', entryIds: ['1-0', '2-0'] }]);
  });

  it('leaves a later run of the same entry alone', () => {
    const earlier = add('1-0');
    lanes.next();
    const later = add('1-0', 2);
    lose({ id: '1-0', deliveries: 1 });
    assert.ok(earlier.abortReason instanceof LeaseLost);
    assert.equal(later.abortReason, undefined);
    assert.equal(lanes.waiting, 1);
  });

  it('leaves what is decided to the fence', () => {
    const entry = add('1-0');
    lanes.next();
    entry.decided = true;
    lose({ id: '1-0', deliveries: 1 });
    assert.equal(entry.abortReason, undefined);
    assert.deepEqual(events, []);
  });
});

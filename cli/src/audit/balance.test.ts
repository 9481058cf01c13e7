import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { balance } from './balance.js';
import type { Delayed, Ledger, Snapshot, StreamFacts } from './snapshot.js';

const LEDGER: Ledger = {
  done: 0,
  dead: 0,
  lost: 0,
  retried: 0,
  takenOver: 0,
  interrupted: 0,
  redriven: 0,
  purged: 0,
  skipped: 0,
  writtenOff: 0,
  before: 0,
  streamsDeleted: 0,
};

const NONE = { count: 0, ids: [] };

const DELAYED: Delayed = {
  ledgerKey: 's:scheduled:ledger',
  scheduled: 0,
  promoted: 0,
  lost: 0,
  writtenOff: 0,
  waiting: 0,
  untimed: NONE,
  unwritten: NONE,
};

const FACTS: StreamFacts = {
  appended: 0,
  length: 0,
  groups: 1,
  groupExists: true,
  lastDelivered: '9-0',
  highestDeleted: '8-0',
  waiting: 0,
  running: 0,
  parked: 0,
  oldestDue: undefined,
  overdue: 0,
  gone: NONE,
  stranded: NONE,
  unscheduled: NONE,
  staleSchedule: NONE,
  staleAttempts: NONE,
};

function audited(
  facts: Partial<StreamFacts>,
  counted: Partial<Ledger>,
  more: Partial<Snapshot> & { dropOldest?: boolean; delayed?: Partial<Delayed> } = {},
) {
  const { dropOldest = false, delayed, ...snapshot } = more;
  const ledger = { ...LEDGER, ...counted };
  return balance(
    {
      at: 0,
      streams: [
        {
          stream: 's',
          taskType: 'default',
          ledgerKey: 's:ledger:g',
          ledger,
          facts: { ...FACTS, ...facts },
          delayed: { ...DELAYED, ...delayed },
        },
      ],
      deadLetters: {
        key: 'dlq',
        length: ledger.dead - ledger.redriven - ledger.purged,
        appended: ledger.dead,
      },
      allLedgers: [ledger],
      ...snapshot,
    },
    { streamName: 's', group: 'g', dropOldest },
  );
}

const codes = (report: ReturnType<typeof audited>) => report.findings.map(({ code }) => code);

describe('balance', () => {
  it('adds up over every way that a task can go', () => {
    const report = audited(
      { appended: 1000, length: 27, waiting: 20, running: 4, parked: 3 },
      {
        before: 100,
        done: 700,
        dead: 150,
        redriven: 40,
        purged: 10,
        lost: 0,
        writtenOff: 13,
        skipped: 10,
        takenOver: 2,
        interrupted: 1,
      },
    );
    assert.deepEqual(report.findings, []);
    assert.deepEqual(report.total, {
      accepted: 850,
      done: 700,
      pending: 24,
      scheduled: 3,
      dead: 100,
      dropped: 23,
      lost: 0,
      duplicated: 3,
    });
    const { accepted, done, pending, scheduled, dead, dropped } = report.total;
    assert.equal(accepted, done + pending + scheduled + dead + dropped);
  });

  it('fails when consumers have counted a loss, also when all adds up', () => {
    const report = audited({ appended: 5 }, { done: 4, lost: 1 });
    assert.deepEqual(codes(report), ['counted-lost']);
    assert.equal(report.total.lost, 1);
    assert.equal(report.ok, false);
  });

  it('remembers a stream that was deleted', () => {
    const report = audited({ appended: 1 }, { before: -5, done: 6, streamsDeleted: 1 });
    assert.deepEqual(codes(report), ['stream-deleted']);
    assert.equal(report.total.accepted, 6);
  });

  it('finds a stream that was deleted and is not there again', () => {
    const report = audited(
      {},
      { done: 6 },
      {
        streams: [
          {
            stream: 's',
            taskType: 'default',
            ledgerKey: 'l',
            ledger: { ...LEDGER, done: 6 },
            facts: undefined,
            delayed: DELAYED,
          },
        ],
      },
    );
    assert.deepEqual(codes(report), ['no-stream', 'surplus']);
  });

  it('does not charge a group that does not exist yet with what is gone', () => {
    const report = audited(
      { appended: 50, length: 5, waiting: 5, groupExists: false, lastDelivered: '0-0' },
      {},
    );
    assert.deepEqual(codes(report), ['no-group']);
    assert.equal(report.total.accepted, 5);
    assert.equal(report.ok, true);
  });

  it('counts as dropped with drop-oldest what was trimmed, and not what is stranded', () => {
    const report = audited(
      { appended: 20, waiting: 5, gone: { count: 2, ids: [] }, stranded: { count: 3, ids: ['1-1'] } },
      { done: 4, lost: 1 },
      { dropOldest: true },
    );
    assert.deepEqual(codes(report), ['dropped-oldest', 'stranded']);
    assert.deepEqual([report.total.dropped, report.total.lost], [8, 3]);
  });

  it('does not call settled entries stranded that only wait to be trimmed', () => {
    const report = audited({ appended: 3, length: 3, stranded: { count: 3, ids: ['1-1'] } }, { done: 3 });
    assert.deepEqual(report.findings, []);
  });

  it('counts delayed tasks as scheduled until they are promoted', () => {
    const delayed = { scheduled: 10, promoted: 4, waiting: 5, writtenOff: 1 };
    const report = audited({ appended: 4 }, { done: 4 }, { delayed });
    assert.deepEqual([report.total.accepted, report.total.scheduled, report.total.dropped], [10, 5, 1]);
    assert.deepEqual(codes(report), []);
    assert.equal(report.ok, true);
  });

  it('misses delayed tasks that are neither promoted nor there, and names those without a time or a message', () => {
    const untimed = { count: 1, ids: ['a'] };
    const unwritten = { count: 2, ids: ['b', 'c'] };
    const delayed = { scheduled: 10, promoted: 3, lost: 1, waiting: 5, untimed, unwritten };
    const report = audited({ appended: 3 }, { done: 3 }, { delayed });
    assert.deepEqual([report.total.accepted, report.total.scheduled, report.total.lost], [10, 3, 4]);
    assert.deepEqual(codes(report), ['delayed-lost', 'delayed-without-message', 'delayed-missing']);
    assert.deepEqual(
      report.findings.flatMap(({ ids }) => ids),
      ['b', 'c', 'a'],
    );
    assert.equal(report.ok, false);
  });

  it('finds a schedule that holds more than it counts', () => {
    const report = audited({}, {}, { delayed: { scheduled: 1, waiting: 3 } });
    assert.deepEqual(codes(report), ['delayed-surplus']);
    assert.equal(report.findings[0]?.count, 2);
  });

  it('balances the dead letters against the ledgers of all groups', () => {
    const other = { ...LEDGER, dead: 4, purged: 1 };
    const deadLetters = { key: 'dlq', length: 3, appended: 6 };
    const ours = { ...LEDGER, dead: 2 };
    const report = audited({ appended: 2 }, { dead: 2 }, { deadLetters, allLedgers: [ours, other] });
    assert.deepEqual(codes(report), ['dead-letters-missing']);
    // Five should be there. Two are missing, and they may be ours.
    assert.deepEqual([report.total.dead, report.total.lost], [0, 2]);
  });

  it('says that it did not look at dead letters when it saw some streams only', () => {
    assert.deepEqual(codes(audited({ appended: 1 }, { done: 1 }, { allLedgers: undefined })), [
      'dead-letters-not-checked',
    ]);
  });
});

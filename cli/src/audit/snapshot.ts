import { queueKeys } from '@sluice/contract';
import type { Redis } from 'ioredis';
import { Script } from '../script.js';

/** The consumer that owns entries which wait for their time: what @sluice/consumers calls it. */
export const PARKED = '~parked';

/** Ids that something is wrong with: how many, and the first of them. */
export interface NamedIds {
  readonly count: number;
  readonly ids: readonly string[];
}

/** What a group has counted on one stream. Counters that a ledger does not have are 0. */
export interface Ledger {
  readonly done: number;
  /** Sent to the dead-letter stream. */
  readonly dead: number;
  /** Found pending, and gone from the stream. */
  readonly lost: number;
  readonly retried: number;
  /** Taken from consumers that died or froze. */
  readonly takenOver: number;
  /** Cut off while they ran, by a shutdown or because their thread died. */
  readonly interrupted: number;
  /** Dead letters sent back to the stream. */
  readonly redriven: number;
  /** Dead letters deleted on purpose. */
  readonly purged: number;
  /** Redriven by another group, and none of this one's business. */
  readonly skipped: number;
  /** Losses that somebody has looked into and accepted. */
  readonly writtenOff: number;
  /** Gone from the stream before the group was created. */
  readonly before: number;
  /** How often the stream was deleted while the group had it. */
  readonly streamsDeleted: number;
}

/** One stream as its group sees it. */
export interface StreamSnapshot {
  readonly stream: string;
  readonly taskType: string;
  readonly ledgerKey: string;
  readonly ledger: Ledger;
  /** Nothing when the stream does not exist. */
  readonly facts: StreamFacts | undefined;
  readonly delayed: Delayed;
}

/** The delayed tasks of a stream, which are no group's before they are due. */
export interface Delayed {
  readonly ledgerKey: string;
  /** Ever stored for later. */
  readonly scheduled: number;
  /** Moved to the stream. */
  readonly promoted: number;
  /** Found due, and without their message. */
  readonly lost: number;
  /** Losses that somebody has looked into and accepted. */
  readonly writtenOff: number;
  /** Not due yet, or due this very moment. */
  readonly waiting: number;
  /** With a message and without a time. */
  readonly untimed: NamedIds;
  /** With a time and without a message; counted as waiting. */
  readonly unwritten: NamedIds;
}

export interface StreamFacts {
  /** Entries ever added, as Redis counts them. */
  readonly appended: number;
  readonly length: number;
  /** Groups that read the stream. */
  readonly groups: number;
  readonly groupExists: boolean;
  readonly lastDelivered: string;
  /** The highest id that was ever deleted by XDEL. */
  readonly highestDeleted: string;
  /** Not delivered yet. */
  readonly waiting: number;
  /** Delivered to a consumer, not settled. */
  readonly running: number;
  /** Waiting for their next attempt. */
  readonly parked: number;
  /** When the parked entry that is due first is due, in Redis milliseconds. */
  readonly oldestDue: number | undefined;
  /** Parked entries whose time has come. */
  readonly overdue: number;
  /** Pending, and not in the stream any more. */
  readonly gone: NamedIds;
  /** In the stream, delivered, and pending for nobody. Known for streams with one group only. */
  readonly stranded: NamedIds;
  /** Parked, and not in the schedule. */
  readonly unscheduled: NamedIds;
  /** In the schedule, and not parked. */
  readonly staleSchedule: NamedIds;
  /** With a history of attempts, and not pending. */
  readonly staleAttempts: NamedIds;
}

/** A queue at one instant, as one group sees it. */
export interface Snapshot {
  /** Redis time in milliseconds. */
  readonly at: number;
  readonly streams: readonly StreamSnapshot[];
  readonly deadLetters: { readonly key: string; readonly length: number; readonly appended: number };
  /** The ledgers of all groups. Nothing when not all streams were looked for. */
  readonly allLedgers: readonly Ledger[] | undefined;
}

/** Most ids that are named of each kind. */
const MOST_NAMED = 100;

const snapshotScript = new Script('snapshot', 'no-writes');

type Names = [count: number, ...ids: string[]];
type DelayedReply = [ledger: string[], waiting: number, untimed: Names, unwritten: Names];

/** Answer of snapshot.lua. */
type Reply = [
  now: number,
  deadLetters: [length: number, appended: number] | [],
  streams: [facts: (number | string)[], ledger: string[], ids: Names[], delayed: DelayedReply][],
  ledgers: string[][],
];

/**
 * Takes a snapshot, by one atomic script.
 *
 * @param ledgers the ledgers of all groups and streams, if they were looked for
 */
export async function takeSnapshot(
  redis: Redis,
  streamName: string,
  group: string,
  types: readonly string[],
  ledgers: readonly string[] | undefined,
): Promise<Snapshot> {
  const keys = queueKeys(streamName);
  const streams = types.map((taskType) => ({ taskType, stream: keys.stream(taskType) }));
  const reply = (await snapshotScript.run(
    redis,
    [
      keys.deadLetters,
      ...streams.flatMap(({ stream }) => [
        stream,
        keys.retries(stream, group),
        keys.attempts(stream, group),
        keys.ledger(stream, group),
        keys.schedule(stream).due,
        keys.schedule(stream).tasks,
        keys.schedule(stream).ledger,
      ]),
      ...(ledgers ?? []),
    ],
    [group, PARKED, streams.length, MOST_NAMED],
  )) as Reply; // as snapshot.lua returns it
  const [at, [length = 0, appended = 0], rows, allLedgers] = reply;
  return {
    at,
    streams: streams.map(({ taskType, stream }, i) => {
      const [facts, ledger, ids, delayed] = rows[i] ?? [[], [], [], undefined];
      return {
        stream,
        taskType,
        ledgerKey: keys.ledger(stream, group),
        ledger: readLedger(ledger),
        facts: readFacts(facts, ids),
        delayed: readDelayed(keys.schedule(stream).ledger, delayed),
      };
    }),
    deadLetters: { key: keys.deadLetters, length, appended },
    allLedgers: ledgers === undefined ? undefined : allLedgers.map(readLedger),
  };
}

function readDelayed(ledgerKey: string, reply: DelayedReply = [[], 0, [0], [0]]): Delayed {
  const [ledger, waiting, untimed, unwritten] = reply;
  return {
    ledgerKey,
    scheduled: counterOf(ledger, 'scheduled'),
    promoted: counterOf(ledger, 'promoted'),
    lost: counterOf(ledger, 'lost'),
    writtenOff: counterOf(ledger, 'written_off'),
    waiting,
    untimed: namedIds(untimed),
    unwritten: namedIds(unwritten),
  };
}

function namedIds([count = 0, ...ids]: Names | [] = []): NamedIds {
  return { count, ids };
}

/** One counter of a ledger (field, value, field, value …). */
function counterOf(pairs: readonly string[], name: string): number {
  const at = pairs.findIndex((text, i) => i % 2 === 0 && text === name);
  return at < 0 ? 0 : Number(pairs[at + 1]);
}

function readLedger(pairs: readonly string[]): Ledger {
  const counter = (name: string): number => counterOf(pairs, name);
  return {
    done: counter('done'),
    dead: counter('dead'),
    lost: counter('lost'),
    retried: counter('retried'),
    takenOver: counter('taken_over'),
    interrupted: counter('interrupted'),
    redriven: counter('redriven'),
    purged: counter('purged'),
    skipped: counter('skipped'),
    writtenOff: counter('written_off'),
    before: counter('before'),
    streamsDeleted: counter('streams_deleted'),
  };
}

function readFacts(facts: readonly (number | string)[], ids: readonly Names[]): StreamFacts | undefined {
  if (facts.length === 0) return undefined;
  const [
    appended,
    length,
    groups,
    exists,
    lastDelivered,
    highestDeleted,
    waiting,
    running,
    parked,
    due,
    overdue,
  ] = facts;
  const named = (kind: number): NamedIds => namedIds(ids[kind]);
  return {
    appended: Number(appended),
    length: Number(length),
    groups: Number(groups),
    groupExists: exists === 1,
    lastDelivered: String(lastDelivered),
    highestDeleted: String(highestDeleted),
    waiting: Number(waiting),
    running: Number(running),
    parked: Number(parked),
    oldestDue: due === 0 ? undefined : Number(due),
    overdue: Number(overdue),
    gone: named(0),
    stranded: named(1),
    unscheduled: named(2),
    staleSchedule: named(3),
    staleAttempts: named(4),
  };
}

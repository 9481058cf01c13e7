import { PARKED } from '@sluice/contract';
import { crashesOf, type Dead } from '../settling/outcome.js';
import type { LeftAlone, ReleaseReason } from '../settling/outcome-writer.js';
import { deadLetterOf } from './memory-dead-letter.js';
import type { MemoryStream } from './memory-stream.js';
import type { VirtualClock } from './virtual-clock.js';

/** What is known of an entry that was handed out and is not settled. */
interface Pending {
  consumer: string;
  deliveries: number;
  renewedAt: number;
}

/** As in owned.lua: what is kept of an entry that has not gone straight through. */
interface History {
  readonly failed: number;
  readonly firstFailedAt: number;
  readonly excused: number;
}

const NO_HISTORY: History = { failed: 0, firstFailedAt: 0, excused: 0 };

/** An entry that was taken back when it was due. */
export interface Taken {
  readonly id: string;
  readonly fields: readonly Buffer[];
  readonly deliveries: number;
  readonly failed: number;
  readonly crashes: number;
}

/** What a take-over has freed, by the consumer that held it, and what turned out to be gone. */
export interface Recovered {
  readonly freed: ReadonlyMap<string, number>;
  readonly lost: readonly string[];
}

/**
 * A consumer group on a stream: what Redis keeps of it, and what the Lua scripts do to it, each method being one of
 * them. It decides nothing about a task. The conformance suite holds it to what the scripts do on a real Redis.
 */
export class MemoryGroup {
  readonly stream: MemoryStream;
  readonly name: string;
  readonly ledger: Record<string, number> = {};
  readonly #deadLetters: MemoryStream;
  readonly #clock: VirtualClock;
  readonly #pending = new Map<string, Pending>();
  readonly #histories = new Map<string, History>();
  /** When parked entries are due. */
  readonly #due = new Map<string, number>();
  readonly #settled = new Map<string, 'done' | 'dead' | 'lost'>();
  /** The suspect that is out. */
  #alone: string | undefined;
  #nextUnread = 0;

  /** Creates the group at the beginning of the stream, as create-group.lua does. */
  constructor(stream: MemoryStream, name: string, deadLetters: MemoryStream, clock: VirtualClock) {
    this.stream = stream;
    this.name = name;
    this.#deadLetters = deadLetters;
    this.#clock = clock;
    stream.groups += 1;
    const gone = stream.ids.length - stream.length;
    if (gone > 0) this.ledger.before = gone;
  }

  /** XREADGROUP: entries that nobody of the group was given. */
  read(consumer: string, most: number): { id: string; fields: readonly Buffer[] }[] {
    const entries: { id: string; fields: readonly Buffer[] }[] = [];
    while (entries.length < most && this.#nextUnread < this.stream.ids.length) {
      const id = this.stream.ids[this.#nextUnread] as string; // below the length
      this.#nextUnread += 1;
      const fields = this.stream.fieldsOf(id);
      if (fields === undefined) continue;
      this.#pending.set(id, { consumer, deliveries: 1, renewedAt: this.#clock.now });
      entries.push({ id, fields });
    }
    return entries;
  }

  /** done.lua */
  acknowledge(consumer: string, ids: readonly string[]): LeftAlone {
    const fenced: string[] = [];
    for (const id of ids) {
      if (this.#pending.get(id)?.consumer !== consumer) {
        fenced.push(id);
        continue;
      }
      this.settle(id, 'done');
    }
    return { fenced, lost: [] };
  }

  /** park.lua */
  park(consumer: string, entries: readonly { id: string; deliveries: number; delayMs: number }[]): LeftAlone {
    const fenced: string[] = [];
    const lost: string[] = [];
    for (const { id, deliveries, delayMs } of entries) {
      const pending = this.#pending.get(id);
      if (pending?.consumer !== consumer || pending.deliveries !== deliveries) fenced.push(id);
      else if (this.#setAside(id, pending, delayMs)) {
        const { failed, firstFailedAt, excused } = this.#historyOf(id);
        this.#histories.set(id, {
          failed: failed + 1,
          firstFailedAt: failed === 0 ? this.#clock.now : firstFailedAt,
          excused,
        });
        this.#count('retried');
      } else lost.push(id);
    }
    return { fenced, lost };
  }

  /** bury.lua */
  bury(consumer: string, entries: readonly { id: string; outcome: Dead }[]): LeftAlone {
    const fenced: string[] = [];
    const lost: string[] = [];
    for (const { id, outcome } of entries) {
      if (this.#pending.get(id)?.consumer !== consumer) {
        fenced.push(id);
        continue;
      }
      const fields = this.stream.fieldsOf(id);
      if (fields === undefined) {
        lost.push(id);
        this.settle(id, 'lost');
        continue;
      }
      const { now } = this.#clock;
      const facts = {
        outcome,
        consumer,
        group: this.name,
        stream: this.stream.name,
        entryId: id,
        firstFailedAt: this.#historyOf(id).firstFailedAt || now,
        now,
      };
      this.#deadLetters.append(deadLetterOf(fields, facts), now);
      this.settle(id, 'dead');
    }
    return { fenced, lost };
  }

  /** release.lua */
  release(consumer: string, entries: readonly { id: string; reason: ReleaseReason }[]): LeftAlone {
    const fenced: string[] = [];
    const lost: string[] = [];
    for (const { id, reason } of entries) {
      const pending = this.#pending.get(id);
      if (pending?.consumer !== consumer) fenced.push(id);
      else if (this.#setAside(id, pending, 0)) {
        if (reason === 'unstarted') pending.deliveries -= 1;
        else this.#count('interrupted');
        if (reason === 'excused') {
          const history = this.#historyOf(id);
          this.#histories.set(id, { ...history, excused: history.excused + 1 });
        }
      } else lost.push(id);
    }
    return { fenced, lost };
  }

  /** take-due.lua */
  takeDue(consumer: string, most: number, suspectFrom: number): { taken: Taken[]; lost: string[] } {
    const taken: Taken[] = [];
    const lost: string[] = [];
    const due = [...this.#due].filter(([, at]) => at <= this.#clock.now);
    due.sort(([a, atA], [b, atB]) => atA - atB || (a < b ? -1 : 1));
    for (const [id] of due) {
      if (taken.length >= most) break;
      const pending = this.#pending.get(id) as Pending; // what is due is parked, and so is pending
      const { failed, excused } = this.#historyOf(id);
      const crashes = crashesOf(pending.deliveries + 1, failed, excused);
      const suspect = crashes >= suspectFrom;
      if (suspect && this.#suspectIsOut()) continue;
      const fields = this.stream.fieldsOf(id);
      if (fields === undefined) {
        lost.push(id);
        this.settle(id, 'lost');
        continue;
      }
      this.#due.delete(id);
      if (suspect) this.#alone = id;
      pending.consumer = consumer;
      pending.deliveries += 1;
      pending.renewedAt = this.#clock.now;
      taken.push({ id, fields, deliveries: pending.deliveries, failed, crashes });
    }
    return { taken, lost };
  }

  /** recover.lua: frees what was not renewed for a lease. */
  recover(leaseMs: number): Recovered {
    const freed = new Map<string, number>();
    const lost: string[] = [];
    for (const [id, pending] of this.#pending) {
      const { consumer } = pending;
      if (consumer === PARKED || this.#clock.now - pending.renewedAt < leaseMs) continue;
      if (this.#setAside(id, pending, 0)) {
        freed.set(consumer, (freed.get(consumer) ?? 0) + 1);
        this.#count('taken_over');
      } else lost.push(id);
    }
    return { freed, lost };
  }

  /** renew.lua: false when the lease of this run is lost already. */
  renew(consumer: string, id: string, deliveries: number): boolean {
    const pending = this.#pending.get(id);
    if (pending?.consumer !== consumer || pending.deliveries !== deliveries) return false;
    if (this.stream.fieldsOf(id) === undefined) this.settle(id, 'lost');
    else pending.renewedAt = this.#clock.now;
    return true;
  }

  /** Where an entry is in docs/task-states.md. */
  stateOf(
    id: string,
    suspectFrom: number,
  ): 'waiting' | 'running' | 'parked' | 'suspect' | 'done' | 'dead' | 'lost' {
    const settled = this.#settled.get(id);
    if (settled !== undefined) return settled;
    const pending = this.#pending.get(id);
    if (pending === undefined) return 'waiting';
    if (pending.consumer !== PARKED) return 'running';
    const { failed, excused } = this.#historyOf(id);
    return crashesOf(pending.deliveries + 1, failed, excused) >= suspectFrom ? 'suspect' : 'parked';
  }

  /** When a parked entry is due. */
  dueAt(id: string): number | undefined {
    return this.#due.get(id);
  }

  /** Everything has been read and settled. */
  get drained(): boolean {
    return this.#pending.size === 0 && this.#nextUnread >= this.stream.ids.length;
  }

  /** The next moment after now at which something parked is due, or a lease of one of these consumers runs out. */
  nextAt(leaseMs: number, unattended: (consumer: string) => boolean): number | undefined {
    let next: number | undefined;
    const consider = (at: number) => {
      if (at > this.#clock.now && (next === undefined || at < next)) next = at;
    };
    for (const at of this.#due.values()) consider(at);
    for (const { consumer, renewedAt } of this.#pending.values()) {
      if (consumer !== PARKED && unattended(consumer)) consider(renewedAt + leaseMs);
    }
    return next;
  }

  /** The end of an entry: nothing of it is left but what the ledger says. */
  protected settle(id: string, how: 'done' | 'dead' | 'lost'): void {
    this.#pending.delete(id);
    this.#histories.delete(id);
    this.#due.delete(id);
    this.#settled.set(id, how);
    if (this.stream.groups === 1) this.stream.delete(id);
    this.#count(how);
  }

  /** Parks a pending entry; false when it is no longer in the stream, and so is lost. */
  #setAside(id: string, pending: Pending, delayMs: number): boolean {
    if (this.stream.fieldsOf(id) === undefined) {
      this.settle(id, 'lost');
      return false;
    }
    pending.consumer = PARKED;
    this.#due.set(id, this.#clock.now + delayMs);
    return true;
  }

  #suspectIsOut(): boolean {
    const pending = this.#alone === undefined ? undefined : this.#pending.get(this.#alone);
    return pending !== undefined && pending.consumer !== PARKED;
  }

  #historyOf(id: string): History {
    return this.#histories.get(id) ?? NO_HISTORY;
  }

  #count(what: string): void {
    this.ledger[what] = (this.ledger[what] ?? 0) + 1;
  }
}

import type { FoundQueue } from '../queue-search.js';
import type { Finding } from './finding.js';

/** Everything the checks judge by; gathered once, before the first of them. */
export interface Facts {
  readonly redis: RedisFacts;
  /** Nothing when Redis runs on another machine, or this is no Linux. */
  readonly machine: MachineFacts | undefined;
  readonly queue: QueueFacts;
}

export interface RedisFacts {
  /** What INFO says, by name. */
  readonly info: ReadonlyMap<string, string>;
  /** What CONFIG GET says; nothing where it is not allowed, as with many hosted servers. */
  readonly config: ReadonlyMap<string, string> | undefined;
  /** Commands and options newer than the floor that this server has. */
  readonly features: readonly string[];
  /** Round trips of PING in milliseconds, in ascending order. */
  readonly pings: readonly number[];
  /** How far the clock of this machine is ahead of that of Redis, and how far off that figure may be. */
  readonly clockAheadMs: number;
  readonly clockPrecisionMs: number;
}

export interface MachineFacts {
  /** /proc/sys/vm/overcommit_memory */
  readonly overcommitMemory: string | undefined;
  /** The chosen one of /sys/kernel/mm/transparent_hugepage/enabled. */
  readonly transparentHugepages: string | undefined;
  /** /proc/sys/net/core/somaxconn */
  readonly somaxconn: number | undefined;
  /** Soft limit of open files of Redis. */
  readonly redisOpenFiles: number | undefined;
  /** Soft limit of open files of this process, which engines started from here have too. */
  readonly ownOpenFiles: number | undefined;
}

export interface QueueFacts extends FoundQueue {
  readonly streamName: string;
  /** Redis time in milliseconds. */
  readonly at: number;
  readonly streams: readonly StreamState[];
  /** Of each stream that has delayed tasks. */
  readonly delayed: readonly DelayedState[];
  readonly schedules: readonly ScheduleState[];
  readonly deadLetters: {
    readonly key: string;
    /** What TYPE says of it. */
    readonly is: string;
    readonly length: number;
    /** When the first of them died, in Redis milliseconds. */
    readonly oldest: number | undefined;
  };
  /** Keys of other queues that this one gets in the way of. */
  readonly overlapping: readonly string[];
  /** What audits of the groups had to say; nothing when all adds up. */
  readonly auditFaults: readonly { readonly group: string; readonly line: string }[];
}

/** A cron schedule; times in Redis milliseconds. */
export interface ScheduleState {
  readonly name: string;
  /** When it runs next; nothing before its first run. */
  readonly next: number | undefined;
  /** When a consumer last said that it has it, to the hour. */
  readonly seen: number;
}

export interface DelayedState {
  readonly stream: string;
  readonly taskType: string;
  readonly waiting: number;
  /** Those that should have been promoted a while ago. */
  readonly overdue: number;
}

export interface StreamState {
  readonly stream: string;
  readonly taskType: string;
  readonly length: number;
  /** Appended while the doctor looked at other things. */
  readonly appendedMeanwhile: number;
  readonly groups: readonly GroupState[];
}

export interface GroupState {
  readonly group: string;
  /** Not delivered yet, as far as Redis knows. */
  readonly lag: number | undefined;
  readonly pending: number;
  readonly consumers: readonly ConsumerState[];
  /** Parked entries that should have been taken a while ago. */
  readonly overdue: number;
  /** The circuit breaker, unless it is closed. */
  readonly breaker: BreakerState | undefined;
  /** The rate of its tasks is limited: what is due may have to wait its turn. */
  readonly rateLimited: boolean;
  /** Entries with a history of attempts. */
  readonly attempts: number;
}

export interface BreakerState {
  readonly state: 'open' | 'half-open';
  /** When it left closed, in Redis milliseconds. */
  readonly since: number;
  readonly opens: number;
}

export interface ConsumerState {
  readonly name: string;
  readonly pending: number;
  readonly idleMs: number;
}

/** What a check asks the facts. */
export interface Check {
  readonly name: string;
  /** Never empty: what is in order is said too. */
  look(facts: Facts): Omit<Finding, 'check'>[];
}

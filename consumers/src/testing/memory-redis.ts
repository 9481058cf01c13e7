import type { QueueKeys } from '@sluice/contract';
import { ConnectionFaults } from './connection-faults.js';
import { MemoryStream } from './memory-stream.js';
import type { VirtualClock } from './virtual-clock.js';

/** Where a task was appended. */
export interface Appended {
  readonly taskId: string;
  readonly type: string;
  readonly stream: MemoryStream;
  readonly entryId: string;
}

/** What stands in for Redis: the streams of one queue. */
export class MemoryRedis {
  readonly keys: QueueKeys;
  readonly connection: ConnectionFaults;
  readonly deadLetters: MemoryStream;
  /** Everything that was appended, in that order. */
  readonly appended: Appended[] = [];
  /** Names of the groups that read. */
  readonly groups = new Set<string>();
  readonly #clock: VirtualClock;
  readonly #streams = new Map<string, MemoryStream>();

  constructor(keys: QueueKeys, clock: VirtualClock) {
    this.keys = keys;
    this.connection = new ConnectionFaults(clock);
    this.deadLetters = new MemoryStream(keys.deadLetters);
    this.#clock = clock;
  }

  /** The stream of a task type; empty when it was not there yet. */
  stream(taskType: string): MemoryStream {
    const name = this.keys.stream(taskType);
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = new MemoryStream(name);
      this.#streams.set(name, stream);
    }
    return stream;
  }

  append(taskId: string, type: string, fields: readonly Buffer[]): Appended {
    const stream = this.stream(type);
    const appended = { taskId, type, stream, entryId: stream.append(fields, this.#clock.now) };
    this.appended.push(appended);
    return appended;
  }
}

import type { ConnectionFaults } from './connection-faults.js';
import type { CrashOptions, FaultPlan } from './fault-plan.js';
import type { MemoryRedis } from './memory-redis.js';
import type { TestTask } from './test-task.js';

/** What can be made to go wrong in a test queue. Nothing happens before the queue is worked off. */
export class TestFaults {
  readonly #plan: FaultPlan;
  readonly #redis: MemoryRedis;
  readonly #connection: ConnectionFaults;

  constructor(plan: FaultPlan, redis: MemoryRedis) {
    this.#plan = plan;
    this.#redis = redis;
    this.#connection = redis.connection;
  }

  /**
   * A thread, or the process, dies while it runs this task. What the handler does afterwards does not count: it goes
   * on all the same, as nothing here can end it.
   *
   * @throws SluiceError `INVALID_OPTIONS`
   */
  crash(task: TestTask, options: CrashOptions = {}): void {
    this.#plan.crash(task.id, options);
  }

  /**
   * The process stands still when it runs this task, for longer than its lease; it wakes up once the task has begun
   * to run elsewhere. Its late outcome is then fenced off.
   */
  freeze(task: TestTask): void {
    this.#plan.freeze(task.id);
  }

  /** Somebody deletes the entry of a task. If it was handed out it is lost, and counted as such. */
  deleteEntry(task: TestTask): void {
    this.#redis.stream(task.type).delete(task.entryId);
  }

  /** Redis is gone: nothing can be read or written. @param forMs virtual milliseconds; else until `redisBack` */
  redisAway(forMs?: number): void {
    this.#connection.goAway(forMs);
  }

  redisBack(): void {
    this.#connection.comeBack();
  }

  /** Redis refuses the next writes of outcomes, and does nothing. @throws SluiceError `INVALID_OPTIONS` */
  refuseWrites(times = 1, message = "OOM command not allowed when used memory > 'maxmemory'."): void {
    this.#connection.refuse(times, message);
  }

  /** Redis does the next writes of outcomes, and its replies are lost. @throws SluiceError `INVALID_OPTIONS` */
  loseReplies(times = 1): void {
    this.#connection.loseReplies(times);
  }
}

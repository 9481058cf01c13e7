import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Consumer, type ConsumerEvent, type ConsumerOptions, createConsumer } from '@sluice/consumers';
import { MESSAGE_FIELDS, queueKeys } from '@sluice/contract';
import { type RedisServer, type RunningProcess, startProcess, startRedis, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { type JournalLine, letGoOf, outageOf, type Script } from './handlers/script.js';

/** Switches acknowledging first on: what a negative control does to a consumer. */
export const ACKNOWLEDGE_FIRST = { [Symbol.for('sluice.break')]: 'acknowledge-first' };

const GROUP = 'processors';
const HANDLERS = {
  default: new URL('./handlers/scripted.js', import.meta.url),
  measured: new URL('./handlers/measured.js', import.meta.url),
};

/**
 * Options that make the tests quick where the defaults are made for production. Without a breaker: the tests of retries
 * have most of their tasks fail. The lease is longer than a machine stands still: what runs then is to run once.
 */
const QUICK = { threads: 2, backoffBaseSeconds: 0.05, backoffJitter: 0, leaseSeconds: 5, breaker: false };

/** For tests in which what somebody held is taken over: they wait for as long as the lease. Nobody else is to miss it. */
export const SHORT_LEASE = { leaseSeconds: 2 };

/** For what comes in the end, on a machine that has others to serve, too. */
const PATIENCE_MS = 60_000;

const SCHEDULE = `
local time = redis.call('TIME')
local fields = {}
for i = 2, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('ZADD', KEYS[1], math.ceil(time[1] * 1000 + time[2] / 1000 + ARGV[1]), fields[2])
redis.call('HSET', KEYS[2], fields[2], cmsgpack.pack(fields))
redis.call('HINCRBY', KEYS[3], 'scheduled', 1)`;

/** A dead letter as a record. */
export type DeadLetter = Record<string, string>;

/** One test's queue on its own Redis, with consumers that end with the test. */
export class Fixture {
  readonly server: RedisServer;
  readonly redis: Redis;
  readonly journal: string;
  readonly keys = queueKeys('tasks:stream');
  readonly #cleanUps: (() => Promise<unknown>)[] = [];

  constructor(server: RedisServer, folder: string) {
    this.server = server;
    this.journal = join(folder, 'journal');
    this.redis = new Redis(server.url, { protocol: 2, maxRetriesPerRequest: null, retryStrategy: () => 20 });
    this.redis.on('error', () => {}); // some tests take it away
  }

  /** Appends an entry as the engine does, and returns its task id. */
  async append(payload: unknown, fields: Record<string, string> = {}, type = 'default'): Promise<string> {
    const taskId = randomUUID();
    const message: Record<string, string> = {
      task_id: taskId,
      timestamp: new Date().toISOString(),
      type,
      content_type: 'application/json',
      payload: JSON.stringify({ data: payload }),
      trace_context: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      ...fields,
    };
    const flat = MESSAGE_FIELDS.flatMap((name) => [name, message[name] ?? '']);
    await this.redis.xadd(this.keys.stream(type), '*', ...flat);
    return taskId;
  }

  /** Appends a task that does what the script says. */
  async appendScript(script: Omit<Script, 'journal'> = {}): Promise<string> {
    return this.append({ journal: this.journal, ...script });
  }

  async appendScripts(count: number, script: Omit<Script, 'journal'> = {}): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, () => this.appendScript(script)));
  }

  /** Schedules tasks as the engine does, each due after so many milliseconds, and returns their ids. */
  async scheduleScripts(
    delaysMs: readonly number[],
    script: object = {},
    type = 'default',
  ): Promise<string[]> {
    return Promise.all(delaysMs.map((delayMs) => this.schedule(randomUUID(), delayMs, script, type)));
  }

  /** Schedules a task under this id, and returns it. */
  async schedule(taskId: string, delayMs: number, script: object = {}, type = 'default'): Promise<string> {
    const { due, tasks, ledger } = this.keys.schedule(this.keys.stream(type));
    const payload = JSON.stringify({ data: { journal: this.journal, ...script } });
    const fields = ['task_id', taskId, 'type', type, 'payload', payload];
    await this.redis.eval(SCHEDULE, 3, due, tasks, ledger, delayMs, ...fields);
    return taskId;
  }

  /** The ids of the tasks in a stream, in their order. */
  async inStream(type = 'default'): Promise<string[]> {
    const entries = await this.redis.xrange(this.keys.stream(type), '-', '+');
    return entries.map(([, fields]) => fields[fields.indexOf('task_id') + 1] ?? '');
  }

  /** Appends tasks that one read can bring together; what is no script is of a type that nobody knows. */
  async appendTogether(scripts: readonly (Omit<Script, 'journal'> | 'unknown')[]): Promise<string[]> {
    const ids = scripts.map(() => randomUUID());
    const transaction = this.redis.multi();
    for (const [i, script] of scripts.entries()) {
      const type = script === 'unknown' ? script : 'default';
      const data = script === 'unknown' ? null : { journal: this.journal, ...script };
      const fields = { task_id: ids[i] ?? '', type, payload: JSON.stringify({ data }) };
      transaction.xadd(this.keys.stream('default'), '*', ...Object.entries(fields).flat());
    }
    await transaction.exec();
    return ids;
  }

  /** Starts a consumer in this process; it is stopped with the test. */
  async consume(
    options: Partial<ConsumerOptions> = {},
  ): Promise<{ consumer: Consumer; events: ConsumerEvent[] }> {
    const events: ConsumerEvent[] = [];
    const consumer = createConsumer({
      redisUrl: this.server.url,
      handlers: HANDLERS,
      ...QUICK,
      ...options,
      listener: (event) => events.push(event),
    });
    this.#cleanUps.push(() => consumer.stop());
    await consumer.start();
    return { consumer, events };
  }

  /** Starts a consumer in a process of its own; it is killed with the test. */
  async consumeInProcess(
    options: Record<string, unknown> = {},
    env: Record<string, string> = {},
  ): Promise<RunningProcess> {
    const script = new URL('./consumer-process.js', import.meta.url).pathname;
    const all = { redisUrl: this.server.url, ...QUICK, ...options };
    const child = startProcess(script, { CONSUMER_OPTIONS: JSON.stringify(all), ...env });
    this.#cleanUps.push(() => {
      child.signal('SIGKILL');
      return child.exited;
    });
    await child.ready;
    return child;
  }

  /** Takes away, or brings back, what tasks that `call-downstream` depend on. */
  setDownstream(state: 'up' | 'down' | 'hanging'): void {
    if (state === 'up') rmSync(outageOf(this.journal), { force: true });
    else writeFileSync(outageOf(this.journal), state);
  }

  /** Lets attempts up to this one of tasks that are held go on. */
  letGo(attempt = 1): void {
    const file = letGoOf(this.journal);
    writeFileSync(`${file}.new`, String(attempt));
    renameSync(`${file}.new`, file); // whoever looks sees a number
  }

  /** Ends what was started, the last first: consumers leave before their Redis does. */
  async cleanUp(): Promise<void> {
    for (const cleanUp of this.#cleanUps.reverse()) await cleanUp();
    this.redis.disconnect();
    await this.server.stop();
  }

  /** What handlers wrote down so far. */
  lines(): JournalLine[] {
    if (!existsSync(this.journal)) return [];
    const lines = readFileSync(this.journal, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JournalLine);
  }

  /** The ids of the tasks that started, or ended, in the order they did, as often as they did. */
  ids(event: JournalLine['event']): string[] {
    return this.lines()
      .filter((line) => line.event === event)
      .map((line) => line.id);
  }

  /** Waits until a number of tasks have started, or ended. */
  async until(event: JournalLine['event'], count: number, timeoutMs = PATIENCE_MS): Promise<void> {
    await waitFor(() => this.ids(event).length >= count, { timeoutMs, what: `${count} tasks to ${event}` });
  }

  async backlog(type = 'default'): Promise<number> {
    return this.redis.xlen(this.keys.stream(type));
  }

  /** Waits until everything that was appended has been settled. */
  async drained(timeoutMs = PATIENCE_MS): Promise<void> {
    await waitFor(async () => (await this.backlog()) === 0 && (await this.backlog('measured')) === 0, {
      timeoutMs,
      what: 'the stream to be worked off',
    });
  }

  /** What the group has counted, over all streams. */
  async ledger(): Promise<Record<string, number>> {
    const ledger: Record<string, number> = {};
    for (const type of Object.keys(HANDLERS)) {
      const one = await this.redis.hgetall(this.keys.ledger(this.keys.stream(type), GROUP));
      for (const [name, value] of Object.entries(one)) ledger[name] = (ledger[name] ?? 0) + Number(value);
    }
    return ledger;
  }

  async deadLetters(): Promise<DeadLetter[]> {
    const entries = await this.redis.xrange(this.keys.deadLetters, '-', '+');
    return entries.map(([, fields]) => {
      const letter: DeadLetter = {};
      for (let i = 0; i + 1 < fields.length; i += 2) letter[fields[i] ?? ''] = fields[i + 1] ?? '';
      return letter;
    });
  }

  /** The consumers of the group, and how much is pending for each. */
  async consumers(type = 'default'): Promise<Record<string, number>> {
    const reply = await this.redis.xinfo('CONSUMERS', this.keys.stream(type), GROUP);
    return Object.fromEntries(
      (reply as (string | number)[][]).map((facts) => {
        const fact = (name: string) => facts[facts.indexOf(name) + 1];
        return [String(fact('name')), Number(fact('pending'))];
      }),
    );
  }
}

/**
 * Waits for what a consumer says of itself. Its threads count and report a moment after Redis has been told, so a test
 * that saw the change in Redis may be too early.
 */
export async function soon(what: string, condition: () => boolean): Promise<void> {
  await waitFor(condition, { timeoutMs: PATIENCE_MS, what });
}

/** A queue of its own for a test. Everything it starts ends with the test. */
export async function setUp(
  context: TestContext,
  config: Parameters<typeof startRedis>[0] = {},
): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-consumers-'));
  const fixture = new Fixture(await startRedis(config), folder);
  context.after(async () => {
    await fixture.cleanUp();
    await rm(folder, { recursive: true, force: true });
  });
  return fixture;
}

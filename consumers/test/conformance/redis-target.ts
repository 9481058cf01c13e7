import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { ConsumerEvent } from '@sluice/consumers';
import { type RunningProcess, startTcpProxy, type TcpProxy, waitFor } from '@sluice/testbed';
import { type Fixture, setUp } from '../fixture.js';
import { stateOf } from '../task-states.js';
import type {
  ConformanceTarget,
  CrashWhen,
  FinalState,
  Instructions,
  Run,
  TargetOptions,
  WriteFault,
} from './target.js';

const TYPES = ['default', 'measured', 'choosy'] as const;
const GROUP = 'processors';
const HANDLERS = {
  default: new URL('../handlers/scripted.js', import.meta.url).href,
  measured: new URL('../handlers/measured.js', import.meta.url).href,
  choosy: new URL('../handlers/choosy.js', import.meta.url).href,
};

/** A private Redis, and a consumer with real threads, or in a process of its own. */
class RedisTarget implements ConformanceTarget {
  readonly #queue: Fixture;
  readonly #proxy: TcpProxy;
  readonly #options: Record<string, unknown>;
  readonly #env: Record<string, string>;
  readonly #patienceMs: number;
  readonly #groups: string[] = [];
  readonly #processes: RunningProcess[] = [];
  readonly #events: ConsumerEvent[][] = [];
  #respawning = false;
  #respawned: Promise<unknown> = Promise.resolve();

  constructor(
    queue: Fixture,
    proxy: TcpProxy,
    options: Record<string, unknown>,
    env: Record<string, string>,
    patienceMs: number,
  ) {
    this.#queue = queue;
    this.#proxy = proxy;
    this.#options = { handlers: HANDLERS, redisUrl: `redis://127.0.0.1:${proxy.port}`, ...options };
    this.#env = env;
    this.#patienceMs = patienceMs;
  }

  async start(inProcess: boolean): Promise<void> {
    if (inProcess) await this.#startProcess();
    else await this.#startHere();
  }

  /** Replaces no process any more. */
  async stop(): Promise<void> {
    this.#respawning = false;
    await this.#respawned;
  }

  async add(instructions: Instructions = {}, id: string = randomUUID()): Promise<string> {
    await this.#queue.append({ journal: this.#queue.journal, ...instructions }, { task_id: id });
    return id;
  }

  async addTyped(type: 'measured' | 'choosy', data: Record<string, unknown>): Promise<string> {
    const id = randomUUID();
    await this.#queue.append({ journal: this.#queue.journal, ...data }, { task_id: id }, type);
    return id;
  }

  async addEntry(type: string, fields: Readonly<Record<string, string>>): Promise<void> {
    await this.#queue.redis.xadd(this.#queue.keys.stream(type), '*', ...Object.entries(fields).flat());
  }

  async addCrashing(of: 'thread' | 'process', times: number, when: CrashWhen = 'called'): Promise<string> {
    if (when !== 'called') throw new Error(`nobody can kill a ${of} just when it is ${when}`);
    if (of === 'process') this.#respawning = true;
    return this.add({ do: of === 'thread' ? 'exit' : 'kill-process', until: times });
  }

  async addFreezing(instructions: Instructions): Promise<string> {
    const [process] = this.#processes;
    if (process === undefined) throw new Error('there is no process that could freeze');
    const id = await this.add(instructions);
    const started = () => this.#queue.ids('start').filter((one) => one === id).length;
    await waitFor(() => started() === 1, { timeoutMs: this.#patienceMs, what: 'the task to start' });
    process.signal('SIGSTOP');
    await this.#startHere();
    try {
      await waitFor(() => started() === 2, {
        timeoutMs: this.#patienceMs,
        what: 'the task to be taken over',
      });
    } finally {
      process.signal('SIGCONT');
    }
    return id;
  }

  async join(group: string): Promise<void> {
    for (const type of TYPES) {
      await this.#queue.redis.xgroup('CREATE', this.#queue.keys.stream(type), group, '0', 'MKSTREAM');
    }
    this.#groups.push(group);
  }

  async strike(fault: WriteFault): Promise<void> {
    const { redis, server } = this.#queue;
    const { appended } = await this.entries();
    await this.#queue.until('start', appended);
    switch (fault) {
      case 'replies-lost':
        this.#proxy.dropReplies(true);
        try {
          await waitFor(async () => (await this.ledger()).done === appended, {
            timeoutMs: this.#patienceMs,
            what: 'all to be done',
          });
        } finally {
          this.#proxy.cut();
          this.#proxy.dropReplies(false);
        }
        return;
      case 'redis-away':
        await server.kill();
        await this.#queue.until('end', appended);
        await server.restart();
        await waitFor(
          () =>
            redis.ping().then(
              () => true,
              () => false,
            ),
          {
            timeoutMs: this.#patienceMs,
            what: 'Redis to be back',
          },
        );
        return;
      case 'writes-refused':
        await redis.replicaof('127.0.0.1', 1);
        try {
          await this.#queue.until('end', appended);
        } finally {
          await redis.replicaof('NO', 'ONE');
        }
        return;
    }
  }

  async untilParked(id: string): Promise<void> {
    const entryId = await this.#entryOf(id);
    await waitFor(async () => (await stateOf(this.#queue, entryId)) === 'parked', {
      timeoutMs: this.#patienceMs,
      what: 'the task to be parked',
    });
  }

  async deleteEntry(id: string): Promise<void> {
    await this.#queue.redis.xdel('tasks:stream', await this.#entryOf(id));
  }

  async drained(): Promise<void> {
    await this.#settled(GROUP);
    // One after the other: what the first group has done with the entries is what the next one finds.
    for (const group of this.#groups) {
      await this.#queue.consume({ ...this.#options, group });
      await this.#settled(group);
    }
  }

  async runs(): Promise<readonly Run[]> {
    const starts = this.#queue.lines().filter(({ event }) => event === 'start');
    return starts.map(({ id, attempt, at }) => ({ taskId: id, attempt, startedAt: at }));
  }

  async state(id: string): Promise<FinalState> {
    if ((await this.deadLetters()).some((letter) => letter.task_id === id)) return 'dead';
    if ((await this.#entryOf(id)) !== '') return 'open';
    return this.#queue.ids('end').includes(id) ? 'done' : 'lost';
  }

  async deadLetters(): Promise<readonly Readonly<Record<string, string>>[]> {
    return this.#queue.deadLetters();
  }

  async ledger(group: string = GROUP): Promise<Readonly<Record<string, number>>> {
    const ledger: Record<string, number> = {};
    for (const type of TYPES) {
      const { keys, redis } = this.#queue;
      const one = await redis.hgetall(keys.ledger(keys.stream(type), group));
      for (const [what, count] of Object.entries(one)) ledger[what] = (ledger[what] ?? 0) + Number(count);
    }
    return ledger;
  }

  async entries(): Promise<{ appended: number; left: number }> {
    let appended = 0;
    let left = 0;
    for (const type of TYPES) {
      const facts = (await this.#queue.redis.xinfo('STREAM', this.#queue.keys.stream(type))) as unknown[];
      appended += Number(facts[facts.indexOf('entries-added') + 1]);
      left += Number(facts[facts.indexOf('length') + 1]);
    }
    return { appended, left };
  }

  async aborted(): Promise<readonly string[]> {
    const lines = this.#queue.lines().filter(({ event }) => event === 'aborted');
    return lines.map(({ reason = '' }) => reason);
  }

  async fenced(): Promise<number> {
    const here = this.#events.flat().filter(({ type }) => type === 'outcome-fenced').length;
    const there = this.#processes.map((one) => one.output().split('"type":"outcome-fenced"').length - 1);
    return there.reduce((sum, count) => sum + count, here);
  }

  async #startHere(): Promise<void> {
    const { events } = await this.#queue.consume(this.#options);
    this.#events.push(events);
  }

  async #startProcess(): Promise<void> {
    const process = await this.#queue.consumeInProcess(this.#options, this.#env);
    this.#processes.push(process);
    void process.exited.then(() => {
      // One that dies while it starts is replaced as well; its start then fails, and nobody waits for that.
      if (this.#respawning) this.#respawned = this.#startProcess().catch(() => undefined);
    });
  }

  async #settled(group: string): Promise<void> {
    await waitFor(
      async () => {
        const { done = 0, dead = 0, lost = 0 } = await this.ledger(group);
        return done + dead + lost >= (await this.entries()).appended;
      },
      { timeoutMs: this.#patienceMs, what: `everything to be settled by ${group}` },
    );
  }

  async #entryOf(taskId: string): Promise<string> {
    const entries = await this.#queue.redis.xrange('tasks:stream', '-', '+');
    return entries.find(([, fields]) => fields.includes(taskId))?.[0] ?? '';
  }
}

/** A target on a real Redis. @param patienceMs how long anything may take */
export async function redisTarget(
  t: TestContext,
  { process, ...options }: TargetOptions,
  broken?: string,
  patienceMs = 60_000,
): Promise<ConformanceTarget> {
  let target: RedisTarget | undefined;
  t.after(() => target?.stop()); // before the fixture ends the processes
  const queue = await setUp(t, { persistent: true });
  const proxy = await startTcpProxy(queue.server.port);
  t.after(() => proxy.close());
  const breaking = broken === undefined ? {} : { [Symbol.for('sluice.break')]: broken };
  const env: Record<string, string> = broken === undefined ? {} : { CONSUMER_BREAK: broken };
  target = new RedisTarget(queue, proxy, { ...options, ...breaking }, env, patienceMs);
  await target.start(process === true);
  return target;
}

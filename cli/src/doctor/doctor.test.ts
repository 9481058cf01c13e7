import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge } from './doctor.js';
import type { Facts, GroupState, MachineFacts, QueueFacts, RedisFacts, StreamState } from './facts.js';
import type { Severity } from './finding.js';

// What a real server can be brought into is tested in test/doctor.test.ts; here is the rest.

const INFO = {
  redis_version: '7.0.15',
  maxmemory_policy: 'noeviction',
  used_memory: '1000',
  maxmemory: '1000000',
  aof_enabled: '1',
  role: 'master',
  connected_slaves: '1',
  maxclients: '10000',
  connected_clients: '1',
};

interface Given {
  info?: Record<string, string>;
  redis?: Partial<RedisFacts>;
  machine?: Partial<MachineFacts>;
  queue?: Partial<QueueFacts>;
}

function factsWith({ info, redis, machine, queue }: Given): Facts {
  return {
    redis: {
      info: new Map(Object.entries({ ...INFO, ...info })),
      config: new Map([
        ['appendfsync', 'always'],
        ['min-replicas-to-write', '1'],
        ['tcp-backlog', '511'],
      ]),
      features: [],
      pings: [0.1, 0.1, 0.1],
      clockAheadMs: 0,
      clockPrecisionMs: 1,
      ...redis,
    },
    machine: {
      overcommitMemory: '1',
      transparentHugepages: 'madvise',
      somaxconn: 4096,
      redisOpenFiles: 20_000,
      ownOpenFiles: 20_000,
      ...machine,
    },
    queue: {
      streamName: 'tasks:stream',
      at: 1_000_000_000,
      types: ['default'],
      ledgers: [],
      foreignStreams: [],
      wrongTypes: [],
      streams: [stream({})],
      delayed: [],
      schedules: [],
      deadLetters: { key: 'tasks:dlq', is: 'none', length: 0, oldest: undefined },
      overlapping: [],
      auditFaults: [],
      ...queue,
    },
  };
}

function stream(state: Partial<StreamState>): StreamState {
  return {
    stream: 'tasks:stream',
    taskType: 'default',
    length: 0,
    appendedMeanwhile: 0,
    groups: [group({})],
    ...state,
  };
}

function group(state: Partial<GroupState>): GroupState {
  const consumers = [{ name: 'host:1:0', pending: 0, idleMs: 500 }];
  const calm = { overdue: 0, breaker: undefined, rateLimited: false, attempts: 0 };
  return { group: 'processors', lag: 0, pending: 0, consumers, ...calm, ...state };
}

/** What the checks say of a state that differs from a good one in this. */
const verdict = (given: Given, check: string): [Severity, string][] =>
  judge(factsWith(given))
    .findings.filter((one) => one.check === check)
    .map(({ severity, finding }) => [severity, finding]);

describe('the doctor', () => {
  it('finds nothing wrong with what is right', () => {
    const { findings, ok } = judge(factsWith({}));
    assert.deepEqual(
      findings.filter(({ severity }) => severity !== 'ok'),
      [],
    );
    assert.equal(ok, true);
  });

  it('has a remedy for every warning and error', () => {
    const dead = [{ name: 'host:1:0', pending: 3, idleMs: 90_000 }];
    const { findings } = judge(
      factsWith({
        info: {
          redis_version: '6.2.1',
          maxmemory: '0',
          role: 'slave',
          rejected_connections: '1',
          evicted_keys: '1',
        },
        redis: { pings: [200], clockAheadMs: 5000, config: undefined },
        machine: {
          overcommitMemory: '0',
          transparentHugepages: 'always',
          somaxconn: 128,
          redisOpenFiles: 1024,
        },
        queue: {
          streams: [
            stream({ length: 5, groups: [group({ consumers: dead, pending: 3, overdue: 1 })] }),
            stream({ groups: [] }),
          ],
          delayed: [{ stream: 'tasks:stream', taskType: 'default', waiting: 3, overdue: 1 }],
          schedules: [{ name: 'nightly', next: 1, seen: 999_999_000 }],
          wrongTypes: [{ key: 'a', is: 'string' }],
          overlapping: ['tasks'],
          auditFaults: [{ group: 'processors', line: 'accepted 1 ≠ …' }],
          deadLetters: { key: 'tasks:dlq', is: 'stream', length: 5000, oldest: 0 },
        },
      }),
    );
    for (const { severity, remedy, check } of findings) {
      if (severity === 'warning' || severity === 'error') assert.ok(remedy, check);
    }
    const bad = findings.filter(({ severity }) => severity === 'warning' || severity === 'error');
    assert.ok(bad.length >= 20, `${bad.length} found`);
  });

  const cases: [what: string, given: Given, check: string, severity: Severity, text: RegExp][] = [
    [
      'a server that is too old',
      { info: { redis_version: '6.2.14' } },
      'version',
      'error',
      /6\.2\.14 is too old/,
    ],
    [
      'a schedule that has just run',
      { queue: { schedules: [{ name: 'nightly', next: 999_990_000, seen: 0 }] } },
      'cron schedules',
      'ok',
      /1 cron schedule, every run enqueued/,
    ],
    [
      'a schedule whose run nobody has enqueued',
      { queue: { schedules: [{ name: 'nightly', next: 999_900_000, seen: 999_900_000 }] } },
      'cron schedules',
      'error',
      /^nightly was to run at 1970-01-12T13:45:00\.000Z and was not enqueued$/,
    ],
    [
      'a schedule that no consumer has any more',
      { queue: { schedules: [{ name: 'nightly', next: 999_900_000, seen: 900_000_000 }] } },
      'cron schedules',
      'note',
      /no consumer has had this schedule since 1970-01-11/,
    ],
    [
      'Valkey',
      { info: { valkey_version: '8.1.0', redis_version: '7.2.4' } },
      'version',
      'ok',
      /Valkey 8\.1\.0/,
    ],
    [
      'newer features',
      { redis: { features: ['WAITAOF'] } },
      'version',
      'ok',
      /newer features: WAITAOF; not here: XACKDEL \(8\.2\)/,
    ],
    ['a cluster without a hash tag', { info: { cluster_enabled: '1' } }, 'cluster', 'error', /no hash tag/],
    [
      'a cluster with a hash tag',
      { info: { cluster_enabled: '1' }, queue: { streamName: '{tasks}:stream' } },
      'cluster',
      'ok',
      /one hash tag/,
    ],
    [
      'a machine that is full',
      { info: { maxmemory: '0', used_memory: '95', total_system_memory: '100' } },
      'memory',
      'error',
      /the kernel kills Redis/,
    ],
    [
      'snapshots that cannot be seen',
      { info: { aof_enabled: '0' }, redis: { config: undefined } },
      'persistence',
      'warning',
      /CONFIG is not allowed/,
    ],
    [
      'replicas that are not waited for',
      { redis: { config: new Map([['min-replicas-to-write', '0']]) } },
      'replication',
      'note',
      /a failover can take/,
    ],
    ['a slow server', { redis: { pings: [1, 20, 30] } }, 'latency', 'warning', /p99 30\.00 ms/],
    ['a server that hangs', { redis: { pings: [1, 20, 300] } }, 'latency', 'error', /p99 300\.00 ms/],
    ['a clock that is off', { redis: { clockAheadMs: -3_600_000 } }, 'clock', 'warning', /3600000 ms behind/],
    [
      'a clock that may be off, seen from far away',
      { redis: { clockAheadMs: 1500, clockPrecisionMs: 800 } },
      'clock',
      'ok',
      /± 800 ms/,
    ],
    ['overcommit', { machine: { overcommitMemory: '0' } }, 'overcommit', 'warning', /is 0/],
    ['huge pages', { machine: { transparentHugepages: 'always' } }, 'hugepages', 'warning', /always/],
    ['a short accept queue', { machine: { somaxconn: 128 } }, 'somaxconn', 'warning', /is 128/],
    [
      'too few files for Redis',
      { machine: { redisOpenFiles: 1024 } },
      'open files',
      'warning',
      /needs 10032/,
    ],
    [
      'too few files for us',
      { machine: { ownOpenFiles: 1024 } },
      'open files',
      'warning',
      /an engine has one/,
    ],
    [
      'consumers that are silent',
      {
        queue: {
          streams: [
            stream({
              length: 9,
              appendedMeanwhile: 4,
              groups: [
                group({ lag: 6, pending: 3, consumers: [{ name: 'h:1:0', pending: 3, idleMs: 61_000 }] }),
              ],
            }),
          ],
        },
      },
      'consumers',
      'error',
      /no live consumer of group processors on tasks:stream, 9 tasks open, and growing \(4 more/,
    ],
    [
      'tasks of a consumer that is gone',
      {
        queue: {
          streams: [
            stream({
              groups: [
                group({
                  pending: 3,
                  consumers: [
                    { name: 'h:1:0', pending: 3, idleMs: 61_000 },
                    { name: 'h:2:0', pending: 0, idleMs: 100 },
                    { name: '~parked', pending: 5, idleMs: 900_000 },
                  ],
                }),
              ],
            }),
          ],
        },
      },
      'take-over',
      'error',
      /^h:1:0 holds 3 tasks of tasks:stream and has been silent for 61 s/,
    ],
    [
      'a group that was abandoned',
      {
        queue: {
          streams: [
            stream({
              length: 20_000,
              groups: [group({}), group({ group: 'old', lag: 20_000, consumers: [] })],
            }),
          ],
        },
      },
      'growth',
      'warning',
      /group old has not read tasks:stream for an hour and is 20000 entries behind/,
    ],
    [
      'a stream that nothing trims',
      { queue: { streams: [stream({ length: 50_000, groups: [group({}), group({ group: 'b' })] })] } },
      'growth',
      'warning',
      /has 50000 entries, of which every group has settled 50000/,
    ],
    [
      'histories of attempts of nobody',
      { queue: { streams: [stream({ groups: [group({ attempts: 20_000 })] })] } },
      'growth',
      'warning',
      /20000 histories of attempts for 0 pending tasks/,
    ],
  ];
  for (const [what, given, check, severity, text] of cases) {
    it(`knows ${what}`, () => {
      const [first, ...others] = verdict(given, check);
      assert.deepEqual(others, []);
      assert.equal(first?.[0], severity, first?.[1]);
      assert.match(first?.[1] ?? '', text);
    });
  }

  it('says what it cannot see of another machine', () => {
    const { findings } = judge({ ...factsWith({}), machine: undefined });
    assert.equal(findings.filter(({ finding }) => finding.includes('another machine')).length, 4);
  });

  it('names an open breaker, and does not take its tasks for forgotten', () => {
    const breaker = { state: 'open' as const, since: 0, opens: 3 };
    const streams = [stream({ length: 9, groups: [group({ pending: 9, overdue: 9, breaker })] })];
    const [[severity, finding] = ['ok', '']] = verdict({ queue: { streams } }, 'breakers');
    assert.equal(severity, 'warning');
    assert.match(finding, /tasks:stream .* opened 3 times/);
    assert.deepEqual(
      verdict({ queue: { streams } }, 'retries').map(([one]) => one),
      ['ok'],
    );
  });
});

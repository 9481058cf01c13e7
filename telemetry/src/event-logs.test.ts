import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConsumerEvent } from './consumer-events.js';
import { logConsumerEvents } from './consumer-log.js';
import type { EngineEvent } from './engine-events.js';
import { logEngineEvents } from './engine-log.js';
import type { ErrorMessages } from './error-fields.js';
import { createLogger, type Logger } from './log.js';

/** The one line that a listener writes about an event. */
function lineOf<Event>(
  listenTo: (log: Logger, messages?: ErrorMessages) => (event: Event) => void,
  event: Event,
  messages?: ErrorMessages,
) {
  const lines: string[] = [];
  const log = createLogger('test', { write: (line) => lines.push(line) });
  log.level = 'trace';
  listenTo(log, messages)(event);
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0] ?? '');
}

const error = new Error('broken pipe');
const traceContext = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const ofTask = { taskId: 'a1', taskType: 'push', attempt: 2, error: 'NoPaper: of Anna', traceContext };

const ENGINE_EVENTS: readonly [event: EngineEvent, level: string][] = [
  [{ type: 'listening', url: 'http://localhost:8000', processes: 2 }, 'INFO'],
  [{ type: 'redis-found' }, 'DEBUG'],
  [{ type: 'status-lookup-found' }, 'DEBUG'],
  [{ type: 'redis-lost', reason: 'ECONNREFUSED' }, 'ERROR'],
  [{ type: 'redis-back', downMs: 12 }, 'INFO'],
  [{ type: 'append-refused', code: 'OOM', message: 'OOM command not allowed' }, 'ERROR'],
  [{ type: 'shedding-started', reason: 'backlog' }, 'WARNING'],
  [{ type: 'shedding-stopped' }, 'INFO'],
  [{ type: 'entries-trimmed', stream: 'tasks:stream', count: 3 }, 'DEBUG'],
  [{ type: 'api-keys-loaded', file: 'keys', keys: 3 }, 'INFO'],
  [{ type: 'api-keys-refused', file: 'keys', reason: 'there is no key in it' }, 'ERROR'],
  [{ type: 'process-died', pid: 7, exit: 'SIGKILL', restartInMs: 100 }, 'ERROR'],
  [{ type: 'spans-dropped', count: 3, reasons: { 'ring-full': 3 } }, 'WARNING'],
  [{ type: 'shutdown-started', signal: 'SIGTERM' }, 'INFO'],
  [{ type: 'internal-error', where: 'trimmer', error }, 'ERROR'],
];

const CONSUMER_EVENTS: readonly [event: ConsumerEvent, level: string][] = [
  [{ type: 'started', consumer: 'host:1', threads: 2, taskTypes: ['push'] }, 'INFO'],
  [{ type: 'redis-lost', thread: 'host:1:0', reason: 'ECONNREFUSED' }, 'ERROR'],
  [{ type: 'redis-back', thread: 'host:1:0' }, 'INFO'],
  [{ type: 'group-created', stream: 'tasks:stream', group: 'processors' }, 'INFO'],
  [{ type: 'task-retried', ...ofTask, delayMs: 100 }, 'WARNING'],
  [{ type: 'task-dead', ...ofTask }, 'ERROR'],
  [{ type: 'task-timed-out', taskId: 'a1', taskType: 'push', timeoutMs: 30_000 }, 'WARNING'],
  [{ type: 'leases-lost', stream: 'tasks:stream', entryIds: ['1-0'] }, 'WARNING'],
  [{ type: 'outcome-fenced', stream: 'tasks:stream', entryId: '1-0' }, 'WARNING'],
  [{ type: 'outcomes-refused', stream: 'tasks:stream', reason: 'OOM' }, 'ERROR'],
  [
    {
      type: 'breaker-opened',
      stream: 'tasks:stream:push',
      taskType: 'push',
      failed: 20,
      succeeded: 3,
      openMs: 5000,
    },
    'ERROR',
  ],
  [{ type: 'breaker-half-open', stream: 'tasks:stream:push', taskType: 'push' }, 'WARNING'],
  [{ type: 'breaker-closed', stream: 'tasks:stream:push', taskType: 'push' }, 'INFO'],
  [{ type: 'tasks-taken-over', stream: 'tasks:stream', from: 'host:2:0', count: 3 }, 'WARNING'],
  [{ type: 'tasks-lost', stream: 'tasks:stream', entryIds: ['1-0', '2-0'] }, 'CRITICAL'],
  [{ type: 'runs-missed', schedule: 'nightly', lastRun: '2026-01-01', reason: 'too-late' }, 'ERROR'],
  [{ type: 'thread-replaced', thread: 1, reason: 'hung', detail: 'no heartbeat', held: 2 }, 'ERROR'],
  [{ type: 'gpu-found', gpus: 2 }, 'INFO'],
  [{ type: 'gpu-absent', reason: 'there is no nvidia-smi' }, 'DEBUG'],
  [{ type: 'consumer-removed', consumer: 'host:2:0', stream: 'tasks:stream' }, 'INFO'],
  [{ type: 'crash-loop', detail: '5 deaths in 10 s' }, 'CRITICAL'],
  [{ type: 'shutdown-started', signal: 'SIGTERM' }, 'INFO'],
  [{ type: 'shutdown-finished', left: 0, durationMs: 12 }, 'INFO'],
  [{ type: 'internal-error', where: 'settler', error }, 'ERROR'],
];

describe('logEngineEvents', () => {
  for (const [event, level] of ENGINE_EVENTS) {
    it(`writes ${event.type} as one ${level} line`, () => {
      const line = lineOf(logEngineEvents, event);
      assert.equal(line.level, level);
      assert.ok(line.timestamp !== undefined && line.message !== '');
    });
  }

  it('says of an error what it is and where it happened', () => {
    const line = lineOf(logEngineEvents, { type: 'internal-error', where: 'trimmer', error });
    assert.deepEqual([line.where, line.error, line.reason], ['trimmer', 'Error', undefined]);
    assert.match(line.stack, /^ +at .*event-logs\.test/);
    assert.doesNotMatch(line.stack, /broken pipe/);
  });

  it('says why where the error is one of the system, or messages are wanted', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), {
      code: 'ECONNREFUSED',
      syscall: 'connect',
    });
    const line = lineOf(logEngineEvents, { type: 'internal-error', where: 'trimmer', error: refused });
    assert.deepEqual([line.code, line.reason], ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:6379']);
    const asked = lineOf(logEngineEvents, { type: 'internal-error', where: 'trimmer', error }, 'messages');
    assert.equal(asked.reason, 'broken pipe');
  });
});

describe('logConsumerEvents', () => {
  for (const [event, level] of CONSUMER_EVENTS) {
    it(`writes ${event.type} as one ${level} line`, () => {
      const line = lineOf(logConsumerEvents, event);
      assert.equal(line.level, level);
      assert.ok(line.timestamp !== undefined && line.message !== '');
    });
  }

  it('names task and trace where an event concerns one task', () => {
    const line = lineOf(logConsumerEvents, { type: 'task-dead', ...ofTask });
    assert.deepEqual(
      [line.task_id, line.trace_id, line.task_type, line.attempt, line.error],
      ['a1', '0af7651916cd43dd8448eb211c80319c', 'push', 2, 'NoPaper'],
    );
  });

  it('leaves out what a handler said of a failure, unless it is asked for', () => {
    for (const event of [
      { type: 'task-retried', ...ofTask, delayMs: 1 },
      { type: 'task-dead', ...ofTask },
      { type: 'thread-replaced', thread: 1, reason: 'died', detail: ofTask.error, held: 1 },
      { type: 'crash-loop', detail: ofTask.error },
    ] as const) {
      assert.doesNotMatch(JSON.stringify(lineOf(logConsumerEvents, event)), /Anna/, event.type);
      assert.match(JSON.stringify(lineOf(logConsumerEvents, event, 'messages')), /Anna/, event.type);
    }
    const nameless = { type: 'task-dead', ...ofTask, error: 'Anna has no paper' } as const;
    assert.equal(lineOf(logConsumerEvents, nameless).error, 'Error');
  });

  it('has no trace where the producer gave none', () => {
    const line = lineOf(logConsumerEvents, { type: 'task-dead', ...ofTask, traceContext: '' });
    assert.equal(line.trace_id, null);
    assert.equal(line.task_id, 'a1');
  });

  it('survives whatever was thrown', () => {
    const line = lineOf(logConsumerEvents, { type: 'internal-error', where: 'settler', error: null });
    assert.equal(line.error, 'ThrownNull');
  });
});

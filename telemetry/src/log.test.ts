import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogger } from './log.js';

const logged = (write: (log: ReturnType<typeof createLogger>) => void) => {
  const lines: string[] = [];
  const log = createLogger('intake', { write: (line) => lines.push(line) });
  log.level = 'trace';
  write(log);
  return lines.map((line) => {
    assert.match(line, /^\{[^\n]*\}\n$/, 'one line per record');
    return JSON.parse(line);
  });
};

describe('createLogger', () => {
  it('writes timestamp, level, message, service and what the record is about', () => {
    const [line] = logged((log) => log.info({ task_id: 'a1', trace_id: 'b2' }, 'task failed'));
    assert.deepEqual(line, {
      timestamp: line.timestamp,
      level: 'INFO',
      message: 'task failed',
      service: 'intake',
      pid: process.pid,
      task_id: 'a1',
      trace_id: 'b2',
    });
    assert.equal(new Date(line.timestamp).toISOString(), line.timestamp);
  });

  it('writes task_id and trace_id on every line, null where there is none', () => {
    for (const line of logged((log) => {
      log.info('no object');
      log.info({ url: 'x' }, 'an object');
      log.info({ task_id: 'a1' }, 'one of them');
    })) {
      assert.equal(line.trace_id, null);
      assert.equal(line.task_id, line.message === 'one of them' ? 'a1' : null);
    }
  });

  it('writes no key twice', () => {
    const lines: string[] = [];
    createLogger('test', { write: (line) => lines.push(line) }).info({ task_id: 'a1' }, 'x');
    assert.equal(lines.join('').split('"task_id"').length, 2);
  });

  it('writes nothing below its level', () => {
    const lines: string[] = [];
    const log = createLogger('test', { write: (line) => lines.push(line) }, 'ERROR');
    log.warn('less');
    log.error('as much');
    assert.equal(lines.length, 1);
  });

  it('calls the levels DEBUG, INFO, WARNING, ERROR and CRITICAL', () => {
    const lines = logged((log) => {
      log.trace('');
      log.debug('');
      log.info('');
      log.warn('');
      log.error('');
      log.fatal('');
    });
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['DEBUG', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'],
    );
  });

  it('keeps a record on one line of valid JSON whatever is in it', () => {
    const nasty = 'a "quote"\nand a\u2028break \u0000 \ud800 {"level":"x"}';
    const circular: Record<string, unknown> = { nasty };
    circular.self = circular;
    const [line] = logged((log) => log.error({ reason: nasty, circular, big: undefined }, nasty));
    assert.equal(line.level, 'ERROR');
    assert.match(line.message, /^a "quote"\nand a/);
    assert.equal(line.reason, line.message);
    assert.equal(line.circular.self, '[Circular]');
  });
});

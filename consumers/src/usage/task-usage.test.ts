import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TaskUsage } from './task-usage.js';

const running = (run: string, memory: number, taskType = 'resize') => ({ run, taskType, memory });

describe('TaskUsage', () => {
  it('says of tasks that have ended their average, maximum and minimum', () => {
    const usage = new TaskUsage(() => 0);
    usage.sample([running('a', 100), running('b', 1000)]);
    usage.sample([running('a', 300), running('b', 2000)]);
    assert.deepEqual(usage.figures(), [], 'nothing has ended yet');
    usage.sample([running('b', 3000)]);
    assert.deepEqual(usage.figures(), [
      {
        taskType: 'resize',
        tasks: 1,
        memory: { avg: 200, max: 300, min: 100 },
        gpu: undefined,
        cpuSeconds: undefined,
      },
    ]);
    usage.sample([]);
    assert.deepEqual(usage.figures()[0]?.memory, { avg: 1100, max: 3000, min: 100 });
    assert.equal(usage.figures()[0]?.tasks, 2);
  });

  it('gives a reading of the GPU to the tasks that were running when it was asked for, and still do', () => {
    const usage = new TaskUsage(() => 0);
    usage.sample([running('a', 1), running('b', 1)]);
    const asked = usage.live;
    usage.sample([running('b', 1), running('c', 1)]);
    usage.sampleGpu(asked, 80);
    usage.sampleGpu(usage.live, 20);
    usage.sample([]);
    assert.deepEqual(usage.figures()[0]?.gpu, { avg: 35, max: 80, min: 20 });
    assert.equal(usage.figures()[0]?.tasks, 3, 'one of them without a reading');
  });

  it('keeps types apart, and forgets tasks that ended more than a minute ago', () => {
    let now = 0;
    const usage = new TaskUsage(() => now);
    usage.sample([running('a', 1), running('b', 2, 'mail')]);
    usage.sample([]);
    now = 30_000;
    usage.sample([running('c', 9)]);
    usage.sample([]);
    assert.deepEqual(
      usage.figures().map(({ taskType, tasks }) => [taskType, tasks]),
      [
        ['resize', 2],
        ['mail', 1],
      ],
    );
    now = 61_000;
    assert.deepEqual(
      usage.figures().map(({ taskType, memory }) => [taskType, memory]),
      [['resize', { avg: 9, max: 9, min: 9 }]],
    );
    now = 95_000;
    assert.deepEqual(usage.figures(), []);
  });

  it('keeps adding up CPU time, whatever it forgets', () => {
    let now = 0;
    const usage = new TaskUsage(() => now);
    usage.addCpu('resize', 0.5);
    now = 1_000_000;
    usage.addCpu('resize', 0.25);
    assert.equal(usage.figures()[0]?.cpuSeconds, 0.75);
  });
});

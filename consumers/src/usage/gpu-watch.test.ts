import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConsumerEvent } from '@sluice/telemetry';
import { GpuWatch } from './gpu-watch.js';
import { type GpuReading, gpusOf } from './nvidia-smi.js';

const gpu = (...percents: number[]): GpuReading => ({
  kind: 'gpus',
  gpus: percents.map((utilisation) => ({ utilisation, memoryUsedBytes: 0 })),
});

/** A watch that reads these one after the other, and what it said. */
function watching(readings: readonly GpuReading[]) {
  const events: ConsumerEvent[] = [];
  const left = [...readings];
  const time = { now: 0 };
  let reads = 0;
  const read = async (): Promise<GpuReading> => {
    reads += 1;
    return left.shift() ?? { kind: 'missing' };
  };
  const watch = new GpuWatch(
    read,
    (event) => events.push(event),
    () => time.now,
  );
  return { watch, events, time, reads: () => reads };
}

describe('GpuWatch', () => {
  it('is as busy as the busiest GPU, and says once that there are some', async () => {
    const { watch, events } = watching([gpu(3, 97), gpu(12, 4)]);
    assert.equal(await watch.utilisation(), 97);
    assert.equal(await watch.utilisation(), 12);
    assert.deepEqual(events, [{ type: 'gpu-found', gpus: 2 }]);
  });

  for (const [name, reading] of [
    ['without nvidia-smi', { kind: 'missing' }],
    ['with one that fails from the start', { kind: 'failed', reason: 'no device' }],
  ] as const) {
    it(`${name}, asks once and says so once`, async () => {
      const { watch, events, reads } = watching([reading, gpu(50)]);
      assert.equal(await watch.utilisation(), undefined);
      assert.equal(await watch.utilisation(), undefined);
      assert.equal(reads(), 1);
      assert.deepEqual(
        events.map(({ type }) => type),
        ['gpu-absent'],
      );
    });
  }

  it('leaves a GPU alone for a minute when it fails later on', async () => {
    const { watch, time, reads } = watching([gpu(1), { kind: 'failed', reason: 'hung' }, gpu(2)]);
    await watch.utilisation();
    assert.equal(await watch.utilisation(), undefined);
    assert.equal(await watch.utilisation(), undefined);
    assert.equal(reads(), 2);
    time.now += 60_000;
    assert.equal(await watch.utilisation(), 2);
  });

  it('asks no second time while the first has not come back', async () => {
    const events: ConsumerEvent[] = [];
    let answer: (reading: GpuReading) => void = () => {};
    const read = (): Promise<GpuReading> =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const watch = new GpuWatch(
      read,
      (event) => events.push(event),
      () => 0,
    );
    const first = watch.utilisation();
    assert.equal(await watch.utilisation(), undefined);
    answer(gpu(7));
    assert.equal(await first, 7);
  });
});

describe('gpusOf', () => {
  it('reads a line for each GPU', () => {
    assert.deepEqual(gpusOf('37, 1523\n0, 4\n'), {
      kind: 'gpus',
      gpus: [
        { utilisation: 37, memoryUsedBytes: 1523 * 1024 * 1024 },
        { utilisation: 0, memoryUsedBytes: 4 * 1024 * 1024 },
      ],
    });
  });

  it('leaves out a GPU that cannot say', () => {
    assert.equal(gpusOf('[N/A], 512\n12, 100\n').kind, 'gpus');
    assert.equal(gpusOf('[N/A], [N/A]\n').kind, 'failed');
  });

  it('takes nothing else for a GPU', () => {
    for (const text of ['', 'No devices were found\n', '99999, 1', '-1, 5', '1;2', 'x'.repeat(10_000)]) {
      assert.equal(gpusOf(text).kind, 'failed', text.slice(0, 30));
    }
  });
});

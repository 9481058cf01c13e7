import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { waitFor } from '@sluice/testbed';
import { setUp } from './fixture.js';

const QUICK = { taskSampleSeconds: 0.05, gpuSampleSeconds: 0.1 };
const WITHIN = { timeoutMs: 20_000 };

/** Puts a stand-in `nvidia-smi` first on the PATH; without a script, none can be found. Returns the file of its calls. */
function standIn(t: TestContext, script: string | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-gpu-'));
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  const before = process.env.PATH;
  if (script === undefined) process.env.PATH = folder;
  else {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const file = join(bin, 'nvidia-smi');
    writeFileSync(file, `#!/bin/sh\necho "$$ $*" >> ${calls}\n${script}\n`);
    chmodSync(file, 0o755);
    process.env.PATH = `${bin}${delimiter}${before}`;
  }
  t.after(() => {
    process.env.PATH = before;
    rmSync(folder, { recursive: true });
  });
  return calls;
}

const callsIn = (file: string): string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);

test('GPU, memory and CPU are measured per task while it runs', async (t) => {
  // Recorded of a machine with two GPUs, one of them busy.
  const calls = standIn(t, "echo '3, 4'; echo '71, 10240'");
  const fixture = await setUp(t);
  const { consumer, events } = await fixture.consume(QUICK);
  await fixture.appendScripts(4, { ms: 1500 });
  await waitFor(() => consumer.taskResources[0]?.tasks === 4, { ...WITHIN, what: 'four tasks to be seen' });
  const [figures] = consumer.taskResources;
  assert.equal(figures?.taskType, 'default');
  assert.deepEqual(figures?.gpu, { avg: 71, max: 71, min: 71 });
  const { memory, cpuSeconds } = figures ?? {};
  assert.ok(memory !== undefined && memory.min > 1_000_000, `a thread holds more than ${memory?.min} bytes`);
  assert.ok(memory.min <= memory.avg && memory.avg <= memory.max);
  assert.ok(cpuSeconds !== undefined && cpuSeconds > 0, `${cpuSeconds} s of CPU`);
  assert.deepEqual(
    events.filter(({ type }) => type.startsWith('gpu')),
    [{ type: 'gpu-found', gpus: 2 }],
  );
  assert.match(
    callsIn(calls)[0] ?? '',
    /--query-gpu=utilization\.gpu,memory\.used --format=csv,noheader,nounits$/,
  );
  // Nothing runs any more: the count of calls stands still over several intervals.
  const before = callsIn(calls).length;
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok(callsIn(calls).length <= before + 1, 'nvidia-smi is called only while tasks run');
});

test('a thread that is busy with a task is charged for it, though it cannot answer', async (t) => {
  standIn(t, 'exit 9');
  const fixture = await setUp(t);
  const { consumer } = await fixture.consume(QUICK);
  await fixture.appendScript({ do: 'spin', ms: 5000 });
  await fixture.drained();
  // A busy machine gives it less than it spins; without being charged it would have next to nothing.
  await waitFor(() => (consumer.taskResources[0]?.cpuSeconds ?? 0) > 0.3, {
    ...WITHIN,
    what: 'its CPU time',
  });
});

for (const [name, script, reason] of [
  ['there is none', undefined, /there is no nvidia-smi/],
  ['it fails', "echo 'NVIDIA-SMI has failed' >&2; exit 9", /ended with 9/],
  ['it prints rubbish', 'head -c 300000 /dev/urandom', /nvidia-smi/],
  ['it names no GPU', "echo 'No devices were found'", /names no GPU/],
  ['it hangs', 'exec sleep 600', /no answer within 5000 ms/],
] as const) {
  test(`tasks run all the same, and nvidia-smi is called once, when ${name}`, async (t) => {
    const calls = standIn(t, script);
    const fixture = await setUp(t);
    const { consumer, events } = await fixture.consume(QUICK);
    const absent = () => events.filter(({ type }) => type === 'gpu-absent');
    await fixture.appendScripts(2, { ms: 1000 });
    await fixture.drained();
    await waitFor(() => absent().length > 0, { ...WITHIN, what: 'the GPU to be given up' });
    assert.match(JSON.stringify(absent()), reason);
    await fixture.appendScripts(2, { ms: 500 });
    await fixture.drained();
    assert.equal(absent().length, 1);
    assert.equal(callsIn(calls).length, script === undefined ? 0 : 1);
    for (const call of callsIn(calls)) {
      const pid = Number(call.split(' ')[0]);
      assert.throws(() => process.kill(pid, 0), /ESRCH/, 'no call is left over');
    }
    await waitFor(() => consumer.taskResources[0]?.tasks === 4, { ...WITHIN, what: 'all four to be seen' });
    assert.equal(consumer.taskResources[0]?.gpu, undefined);
    assert.ok(consumer.taskResources[0]?.memory !== undefined, 'memory is measured without a GPU, too');
  });
}

test('with both set to 0 nothing is sampled', async (t) => {
  const calls = standIn(t, "echo '71, 10240'");
  const fixture = await setUp(t);
  const { consumer } = await fixture.consume({ taskSampleSeconds: 0, gpuSampleSeconds: 0.1 });
  await fixture.appendScripts(2, { ms: 500 });
  await fixture.drained();
  assert.deepEqual(consumer.taskResources, []);
  assert.deepEqual(callsIn(calls), []);
});

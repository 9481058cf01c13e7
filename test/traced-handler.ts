import { appendFileSync } from 'node:fs';
import { trace } from '@opentelemetry/api';
import { defineHandler } from '@sluice/consumers';

interface Data {
  journal: string;
  failures?: number;
}

// Writes down which span is active after an await, as instrumentation in it would see it; fails so often first.
export default defineHandler('default', async (task) => {
  await new Promise((resolve) => setImmediate(resolve));
  const { journal, failures = 0 } = task.data as Data; // what the test has sent
  const active = trace.getActiveSpan()?.spanContext();
  const state = active?.traceState?.serialize() ?? '';
  appendFileSync(journal, `${task.id} ${task.attempt} ${active?.traceId}-${active?.spanId} ${state}\n`);
  if (task.attempt <= failures) throw new RangeError(`quotes ${JSON.stringify(task.data)}`);
});

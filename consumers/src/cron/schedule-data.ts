import type { Fault } from '@sluice/contract';
import { invalidSchedules, type ResolvedSchedule } from './cron-schedules.js';

/**
 * Checks the data of schedules against the schemas of their task types. It loads TypeBox for that, which a consumer
 * whose schedules have no schema never does: it takes as long as all the rest.
 *
 * @param source where they come from, for the messages
 * @throws SluiceError `INVALID_OPTIONS` with one fault per schedule that is wrong, all at once
 */
export async function checkScheduleData(
  schedules: readonly ResolvedSchedule[],
  source: string,
): Promise<void> {
  if (schedules.every(({ schema }) => schema === undefined)) return;
  const { Compile } = await import('typebox/schema');
  const faults: Fault[] = [];
  for (const [index, { schema, taskType, payload }] of schedules.entries()) {
    if (schema === undefined) continue;
    const { data }: { data?: unknown } = JSON.parse(payload); // what the handler will see
    const [, [fault]] = Compile(schema).Errors(data);
    if (fault === undefined) continue;
    const where = `${fault.instancePath || '/'} ${fault.message}`;
    faults.push({
      path: `${source}.${index}.data`,
      reason: `does not match the schema of ${taskType}: ${where}`,
    });
  }
  if (faults.length > 0) throw invalidSchedules(faults);
}

// A processor file, loaded by BullMQ inside each of its worker threads.
import { RunTally } from './run-tally.js';

const tally = RunTally.ofProcess();

export default async function process({ data }: { data: unknown }): Promise<void> {
  tally.run(data);
}

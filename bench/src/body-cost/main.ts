// npm run bench:body: what each step on the way of a body costs, without sockets.
import { bodyOfSize, readWebhooks } from '../load/webhook-bodies.js';
import { numberText, textOf } from '../report.js';
import { stages } from './stages.js';

const SIZES = [200, 2000, 8000, 30_000, 1_000_000];
const ROUNDS = 300;
/** Short turns: most of them are not interrupted by other programs. */
const BYTES_OF_TURN = 400_000;
/** Of the turns, the one that is faster than all but so large a part: the rest has been waiting for a core. */
const QUIET_PART = 0.05;

const all = await stages();
const webhooks = await readWebhooks();
const columns: string[][] = [];
for (const size of SIZES) {
  const body = Buffer.from(bodyOfSize(size, webhooks).body);
  const times = Math.max(1, Math.round(BYTES_OF_TURN / body.length));
  const turns = new Map(all.map((stage) => [stage, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [stage, durations] of turns) {
      const startedAt = process.hrtime.bigint();
      for (let i = 0; i < times; i++) stage.run(body);
      durations.push(Number(process.hrtime.bigint() - startedAt) / times / 1000);
    }
  }
  const figures = [...turns.values()].map((durations) => {
    durations.sort((a, b) => a - b);
    return numberText(durations[Math.floor(durations.length * QUIET_PART)] ?? Number.NaN, 2);
  });
  columns.push([`${numberText(body.length)} bytes`, ...figures]);
}
const rows = all.map(({ name }, n) => [name, ...columns.map((column) => column[n + 1] ?? '')]);
console.log(textOf({ title: 'µs for a body', columns: ['', ...columns.map(([head]) => head ?? '')], rows }));

// npm run soak -- [--minutes n] [--rate n] [--fault-every n] [--seed n] [--broken <switch>]
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Arena } from '../arena.js';
import { endOnSignal, interruption } from '../interruption.js';
import { reportOf } from '../report.js';
import { circumstances, writeResults } from '../results.js';
import { soak } from './soak.js';
import { SOAK_FAULTS } from './soak-faults.js';

const HELP = `npm run soak -- [option…]

  --minutes <n>       how long [1 to 1440; default 60]
  --rate <n>          tasks/s [1 to 2000; default 100]
  --fault-every <n>   seconds from one fault to the next [5 to 3600; default 20]
  --only <fault>      only this fault; can be given several times [default: all of them]
  --seed <n>          chooses the faults, the same ones for the same seed [0 to 4294967295; default: any]
  --broken <switch>   breaks a promise on purpose, acknowledge-first for instance: it must be caught

Prints a line a minute and a table at the end, and writes torture/results/soak-<time>.json with every sample. Ends with
1 when tasks are lost, or processes grow: resident memory is judged from 30 minutes on, after a quarter of the time.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '100' },
    'fault-every': { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    only: { type: 'string', multiple: true, default: [] },
    broken: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help === true) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const minutes = numberBetween('minutes', values.minutes, 1, 1440);
  const perSecond = numberBetween('rate', values.rate, 1, 2000);
  const faultEverySeconds = numberBetween('fault-every', values['fault-every'], 5, 3600);
  const seed = numberBetween('seed', values.seed, 0, 2 ** 32 - 1);
  const unknown = values.only.find((name) => !(name in SOAK_FAULTS));
  if (unknown !== undefined) {
    console.error(`--only is ${unknown}; allowed: ${Object.keys(SOAK_FAULTS).join(', ')}`);
    process.exit(1);
  }
  const tell = (line: string) => console.log(line);
  tell(`${minutes} minutes, ${perSecond} tasks/s, a fault every ${faultEverySeconds} s, --seed ${seed}`);
  const taken = circumstances();
  const arena = await Arena.open({
    full: true,
    broken: values.broken,
    redis: { persistent: true },
    progress: tell,
  });
  endOnSignal(() => arena.close());
  try {
    const { findings, ...record } = await soak(arena, {
      minutes,
      perSecond,
      faultEverySeconds,
      only: values.only,
      seed,
      tell,
    });
    const missed = findings.some(({ verdict }) => verdict === 'missed');
    const trial = {
      scenario: 'soak',
      promise: `${minutes} minutes of ${perSecond} tasks/s with a fault every ${faultEverySeconds} s lose nothing, and nothing grows`,
      broken: values.broken,
      full: true,
      seconds: minutes * 60,
      findings,
      asWanted: missed === (values.broken !== undefined),
    };
    console.log(`\n${reportOf(trial)}`);
    console.log(
      `\nAll figures: ${relative(process.cwd(), writeResults('soak', taken.at, { ...taken, seed, perSecond, ...trial, ...record }))}`,
    );
    process.exitCode = trial.asWanted ? 0 : 1;
  } catch (error) {
    if (!interruption.hasCome) throw error; // else of course: what it worked on was taken away
  } finally {
    if (!interruption.hasCome) await arena.close();
  }
}

function numberBetween(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!(value >= least && value <= most)) {
    console.error(`--${name} is ${text}; allowed: ${least} to ${most}`);
    process.exit(1);
  }
  return value;
}

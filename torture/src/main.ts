// npm run torture -- [scenario…] [option…]; see --help
import { relative } from 'node:path';
import { SluiceError } from '@sluice/contract';
import { helpText, readCommandLine } from './command-line.js';
import { endOnSignal, interruption } from './interruption.js';
import { reportOf } from './report.js';
import { circumstances, writeResults } from './results.js';
import { SCENARIOS } from './scenarios.js';
import { runTrial, type Trial } from './trial.js';

let endAll: () => Promise<void> = async () => {};

async function main(): Promise<void> {
  const command = readCommandLine(process.argv.slice(2), SCENARIOS);
  if (command.help) {
    console.log(helpText(SCENARIOS));
    return;
  }
  const taken = circumstances();
  const trials: (Trial | { scenario: string; broken: string | undefined; error: string })[] = [];
  for (const { scenario, broken } of command.wanted) {
    try {
      const trial = await runTrial(scenario, {
        full: command.full,
        broken,
        progress: (line) => console.error(`  … ${line}`),
        opened: (close) => {
          endAll = close;
        },
      });
      console.log(`${reportOf(trial)}\n`);
      trials.push(trial);
      if (!trial.asWanted) process.exitCode = 1;
    } catch (error) {
      if (interruption.hasCome) return;
      console.log(`${scenario.name}: could not be measured: ${error}\n`);
      trials.push({ scenario: scenario.name, broken, error: String(error) });
      process.exitCode = 1;
    }
  }
  const path = writeResults('torture', taken.at, { ...taken, trials });
  console.log(`All figures: ${relative(process.cwd(), path)}`);
}

endOnSignal(() => endAll());

await main().catch((error: unknown) => {
  if (interruption.hasCome) return; // of course it failed: what it worked on was taken away
  console.error(error instanceof SluiceError ? error.message : error);
  process.exit(1);
});

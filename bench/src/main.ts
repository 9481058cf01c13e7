// npm run bench -- [scenario…] [option…]; see --help
import { relative } from 'node:path';
import { SluiceError } from '@sluice/contract';
import { BenchFault } from './bench-fault.js';
import { killStarted } from './child.js';
import { closedLoopGenerator } from './load/closed-loop-generator.js';
import { type BenchOptions, helpText, readCommandLine } from './options.js';
import { reportOf } from './report.js';
import { type Circumstances, circumstances, writeResults } from './results.js';
import { Running } from './running.js';
import type { Bench, Scenario } from './scenario.js';
import { connections } from './scenarios/connections.js';
import { constantRate } from './scenarios/constant-rate.js';
import { consumersLatency } from './scenarios/consumers-latency.js';
import { consumersThroughput } from './scenarios/consumers-throughput.js';
import { payloads } from './scenarios/payloads.js';
import { peers } from './scenarios/peers.js';
import { processes } from './scenarios/processes.js';
import { saturation } from './scenarios/saturation.js';

let interrupted = false;

const SCENARIOS: readonly Scenario[] = [
  saturation,
  constantRate,
  peers,
  payloads,
  connections,
  processes,
  consumersThroughput,
  consumersLatency,
];

async function main(): Promise<void> {
  const command = readCommandLine(
    process.argv.slice(2),
    SCENARIOS.map(({ name }) => name),
  );
  if (command.help) {
    console.log(helpText(SCENARIOS));
    return;
  }
  const { options, given } = command;
  const running = new Running();
  stopOnSignals(running);
  const generator = await closedLoopGenerator(options.generator);
  const taken = circumstances(generator.name);
  const bench: Bench = {
    options,
    generator,
    running,
    progress: (line) => console.error(line),
    saturation: new Map(),
  };
  console.log(`${introduction(taken, options)}\n`);
  const scenarios: object[] = [];
  for (const scenario of SCENARIOS.filter(({ name }) => command.scenarios.includes(name))) {
    const own: BenchOptions = { ...options, ...scenario.defaults, ...given };
    const { rounds, seconds, warmUpSeconds } = own;
    console.log(
      `${scenario.name}: ${rounds} interleaved rounds of ${seconds} s after ${warmUpSeconds} s of warm-up`,
    );
    const findings = await scenario.run({ ...bench, options: own });
    console.log(`\n${reportOf(scenario, findings)}\n`);
    const { name, question, requirements } = scenario;
    const how = { rounds, seconds, warmUpSeconds, connections: own.connections };
    scenarios.push({ name, question, requirements, ...how, ...findings });
  }
  const path = writeResults(taken.at, { ...taken, options, scenarios });
  console.log(`All figures: ${relative(process.cwd(), path)}`);
}

/** Without this a signal would leave servers behind, and the temporary folder of Redis. */
function stopOnSignals(running: Running): void {
  const stop = async (exitCode: number): Promise<void> => {
    interrupted = true;
    console.error('interrupted: ending all that was started');
    killStarted();
    await running.stopAll();
    process.exit(exitCode);
  };
  process.on('SIGINT', () => void stop(130));
  process.on('SIGTERM', () => void stop(143));
}

function introduction(taken: Circumstances, options: BenchOptions): string {
  const { cpu, cores, node, generator, commit } = taken;
  const persistence = options.persistent
    ? 'with append-only file, fsync every second'
    : 'without persistence';
  return [
    `${cpu}, ${cores} cores shared by generator, server and Redis; Node ${node}, ${generator}; commit ${commit ?? 'unknown'}`,
    `engine processes: ${options.processes}; Redis ${persistence}`,
  ].join('\n');
}

/** One line for what can be expected to go wrong; a stack only for what cannot. */
function fail(error: unknown): void {
  if (interrupted) return; // of course it failed: its servers were taken away
  if (error instanceof SluiceError) console.error(error.message);
  else if (error instanceof BenchFault) console.error(`no figures: ${error.message}`);
  else console.error(error);
  process.exit(1);
}

await main().catch(fail);

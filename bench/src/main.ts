// npm run bench -- [scenario…] [option…]; see --help
import { relative } from 'node:path';
import { withCoresAwake } from './awake-cores.js';
import { peersChart } from './chart/peers-chart.js';
import { closedLoopGenerator } from './load/closed-loop-generator.js';
import { type BenchOptions, helpText, readCommandLine } from './options.js';
import { fail, stopOnSignals } from './program.js';
import { reportOf } from './report.js';
import {
  type Circumstances,
  circumstances,
  type ScenarioResults,
  writeResult,
  writeResults,
} from './results.js';
import { Running } from './running.js';
import type { Bench, Scenario } from './scenario.js';
import { batch } from './scenarios/batch.js';
import { connections } from './scenarios/connections.js';
import { constantRate } from './scenarios/constant-rate.js';
import { consumersLatency } from './scenarios/consumers-latency.js';
import { consumersThroughput } from './scenarios/consumers-throughput.js';
import { deadSinks } from './scenarios/dead-sinks.js';
import { idempotency } from './scenarios/idempotency.js';
import { memory } from './scenarios/memory.js';
import { payloads } from './scenarios/payloads.js';
import { peers } from './scenarios/peers.js';
import { processes } from './scenarios/processes.js';
import { receipts } from './scenarios/receipts.js';
import { saturation } from './scenarios/saturation.js';
import { spans } from './scenarios/spans.js';
import { startup } from './scenarios/startup.js';
import { telemetry } from './scenarios/telemetry.js';
import { wall } from './scenarios/wall.js';
import { websocket } from './scenarios/websocket.js';

const SCENARIOS: readonly Scenario[] = [
  saturation,
  wall,
  constantRate,
  peers,
  batch,
  receipts,
  idempotency,
  telemetry,
  deadSinks,
  spans,
  websocket,
  payloads,
  connections,
  processes,
  memory,
  startup,
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
  const scenarios: ScenarioResults[] = [];
  for (const scenario of SCENARIOS.filter(({ name }) => command.scenarios.includes(name))) {
    const own: BenchOptions = { ...options, ...scenario.defaults, ...given };
    const { rounds, seconds, warmUpSeconds } = own;
    console.log(
      `${scenario.name}: ${rounds} interleaved rounds of ${seconds} s after ${warmUpSeconds} s of warm-up`,
    );
    const run = () => scenario.run({ ...bench, options: own });
    const findings = await (own.awake ? withCoresAwake(run) : run());
    console.log(`\n${reportOf(scenario, findings)}\n`);
    const { name, question, requirements } = scenario;
    const how = { rounds, seconds, warmUpSeconds, connections: own.connections };
    scenarios.push({ name, question, requirements, ...how, ...findings });
  }
  const results = { ...taken, options, scenarios };
  const path = writeResults(taken.at, results);
  console.log(`All figures: ${relative(process.cwd(), path)}`);
  if (!command.scenarios.includes(peers.name)) return;
  console.log(`Chart: ${relative(process.cwd(), writeResult(taken.at, 'svg', peersChart(results)))}`);
}

function introduction(taken: Circumstances, options: BenchOptions): string {
  const { cpu, cores, node, generator, commit } = taken;
  const persistence = options.persistent
    ? 'with append-only file, fsync every second'
    : 'without persistence';
  return [
    `${cpu}, ${cores} cores shared by generator, server and Redis; Node ${node}, ${generator}; commit ${commit ?? 'unknown'}`,
    `engine processes: ${options.processes}; Redis ${persistence}${options.awake ? '; cores kept awake' : ''}`,
  ].join('\n');
}

await main().catch(fail);

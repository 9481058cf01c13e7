// npm run profile -- [option…]: where an engine process under load spends its time.
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { takeClosedLoopTurn } from '../closed-loop-turn.js';
import type { ClosedLoopGenerator } from '../load/closed-loop.js';
import { closedLoopGenerator } from '../load/closed-loop-generator.js';
import { bodyOfSize, readWebhooks } from '../load/webhook-bodies.js';
import { monotonicMs } from '../monotonic.js';
import { type BenchOptions, readCommandLine } from '../options.js';
import { enginePeer } from '../peers/engine.js';
import { fail, stopOnSignals } from '../program.js';
import { numberText, textOf } from '../report.js';
import { resultsFolder } from '../results.js';
import { Running } from '../running.js';
import { busySeconds, type CpuProfile, during, hotFunctions } from './cpu-profile.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SHOWN = 25;
const SIZE = /^--bytes=(\d+)$/;
/** Of a stream meanwhile. */
const STREAM_BYTES = 256 * 1024 * 1024;
const HELP = `npm run profile -- [option…]

Puts one engine process under load with --cpu-prof, prints the ${SHOWN} functions that took most time themselves, and keeps
the profile in bench/results, for the developer tools of a browser. Takes --seconds, --warm-up, --connections, --generator
and --persistent as npm run bench does, and --bytes=<about so many> for larger bodies. The profile spans start and warm-up too, the table does not.`;

async function main(): Promise<void> {
  const given = process.argv.slice(2);
  const sizes = given.filter((one) => SIZE.test(one));
  const command = readCommandLine(
    given.filter((one) => !SIZE.test(one)),
    [],
  );
  if (command.help) console.log(HELP);
  else await profile(command.options, Number(SIZE.exec(sizes[0] ?? '')?.[1] ?? 0));
}

async function profile(options: BenchOptions, size: number): Promise<void> {
  const running = new Running();
  stopOnSignals(running);
  const folder = mkdtempSync(join(resultsFolder(), 'profile-'));
  try {
    const nodeArguments = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
    const { body } = bodyOfSize(size, await readWebhooks());
    const bytes = Buffer.byteLength(body);
    const engine = enginePeer({
      keptEntries: Math.min(100_000, Math.floor(STREAM_BYTES / bytes)),
      ackMode: 'appended',
      processes: 1,
      persistent: options.persistent,
      nodeArguments,
    });
    const { generator, lastRun } = timed(await closedLoopGenerator(options.generator));
    const connections = options.connections[0] ?? 64;
    const bench = { options, generator, running, progress: console.error };
    await takeClosedLoopTurn(bench, engine, 1, { connections, body });
    const { found, path } = busiest(folder);
    const kept = join(resultsFolder(), `${new Date().toISOString().replace(/[:.]/g, '-')}.cpuprofile`);
    renameSync(path, kept);
    const { from, to } = lastRun(); // warm-up comes before
    console.log(`${numberText(bytes)} bytes`);
    console.log(textOf(tableOf(during(found, from, to))));
    console.log(`\nProfile: ${relative(process.cwd(), kept)}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A generator that remembers when it last ran, by monotonicMs. */
function timed({ name, run }: ClosedLoopGenerator) {
  let times = { from: 0, to: 0 };
  const generator: ClosedLoopGenerator = {
    name,
    async run(options) {
      const from = monotonicMs();
      const result = await run(options);
      times = { from, to: monotonicMs() };
      return result;
    },
  };
  return { generator, lastRun: () => times };
}

/** Of primary and engine process, the latter. */
function busiest(folder: string): { found: CpuProfile; path: string } {
  const [first, ...others] = readdirSync(folder).map((name) => {
    const path = join(folder, name);
    return { path, found: JSON.parse(readFileSync(path, 'utf8')) as CpuProfile }; // written by Node
  });
  if (first === undefined) throw new Error('no process has left a profile');
  return others.reduce((most, one) => (busySeconds(one.found) > busySeconds(most.found) ? one : most), first);
}

function tableOf(found: CpuProfile) {
  return {
    title: `engine process, busy for ${numberText(busySeconds(found), 1)} s: time of each function itself`,
    columns: ['', '%', 's'],
    rows: hotFunctions(found, SHOWN).map(({ name, url, line, selfSeconds, part }) => [
      `${name}${url === '' ? '' : `  ${placeOf(url)}:${line}`}`,
      numberText(part * 100, 1),
      numberText(selfSeconds, 2),
    ]),
  };
}

function placeOf(url: string): string {
  return url.startsWith('file:') ? relative(ROOT, fileURLToPath(url)) : url;
}

await main().catch(fail);

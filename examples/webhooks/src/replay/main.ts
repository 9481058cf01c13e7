import { resolve } from 'node:path';
import { resolveOptions, SluiceError } from '@sluice/contract';
import { readCommandLine, usage } from './command-line.js';
import { type ReplayOptions, replayOptions } from './options.js';
import { type ReplayProgress, replay } from './replay.js';
import { formatReport, isClean } from './report.js';
import { askLauncher } from './running.js';

const EXIT_NOT_CLEAN = 1;
const EXIT_NOT_RUN = 2;

try {
  const command = readCommandLine(process.argv.slice(2));
  if (command.help) console.log(usage());
  else await run(command);
} catch (error) {
  if (!(error instanceof SluiceError)) throw error;
  console.error(error.message.replace(/^/gm, 'replay: '));
  process.exitCode = EXIT_NOT_RUN;
}

async function run({ json, options: flags, tolerate }: ReturnType<typeof readCommandLine>): Promise<void> {
  const options = resolveOptions(
    replayOptions,
    withPaths({ ...(await askLauncher()), ...environment(), ...flags }),
  );
  await assertAnswering(options.url);
  const report = await replay(options, process.stderr.isTTY ? { onProgress: showProgress } : {});
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(json ? JSON.stringify(report) : formatReport(report));
  if (report.accepted > 0 && report.done === 0) {
    console.error(
      `replay: no accepted task has a line in ${options.digestDir}: do the handlers write there?`,
    );
  }
  if (!isClean(report, tolerate)) process.exitCode = EXIT_NOT_CLEAN;
}

type Given = Partial<Record<keyof ReplayOptions, unknown>>;

/** The variables that engine and consumers read too. */
function environment(): Given {
  const given: Given = {};
  for (const [option, { env }] of Object.entries(
    replayOptions.properties as Record<string, { env?: string }>,
  )) {
    const text = env === undefined ? undefined : process.env[env];
    if (text) given[option as keyof ReplayOptions] = text; // a key of the schema is one of the options
  }
  return given;
}

/** npm runs us in the package's folder; paths are meant from where the user typed. */
function withPaths(given: Given): Given {
  const from = process.env.INIT_CWD ?? process.cwd();
  const paths: Given = {};
  if (typeof given.folder === 'string' && given.folder !== '') paths.folder = resolve(from, given.folder);
  if (typeof given.digestDir === 'string' && given.digestDir !== '') {
    paths.digestDir = resolve(from, given.digestDir);
  }
  return { ...given, ...paths };
}

/** Any answer will do. Without this look, an engine that is not there costs a minute of trying. */
async function assertAnswering(url: string): Promise<void> {
  try {
    await (await fetch(url)).arrayBuffer();
  } catch (cause) {
    throw new SluiceError(
      'INVALID_OPTIONS',
      `nothing answers at ${url}: start it with "make up", or give --url`,
      {
        cause,
      },
    );
  }
}

function showProgress({ accepted, outstanding, tasks }: ReplayProgress): void {
  const [a, t, o] = [accepted, tasks, outstanding].map((count) => count.toLocaleString('en-US'));
  process.stderr.write(`\r\x1b[K${a} of ${t} accepted, ${o} not settled yet`);
}

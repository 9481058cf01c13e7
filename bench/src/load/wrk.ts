import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { untilEnd } from '../child.js';
import type { ClosedLoopGenerator, ClosedLoopOptions } from './closed-loop.js';
import { parseWrkReport } from './wrk-report.js';

const SCRIPT = fileURLToPath(new URL('../../src/load/closed-loop.lua', import.meta.url));
/** For connecting, ending and reporting, on top of the time it was asked to run. */
const GRACE_SECONDS = 15;
/** wrk has an event loop per thread; one can drive the bare server. Two need a core more, and cost one where there is none. */
const THREADS = availableParallelism() >= 4 ? 2 : 1;

/** wrk as a generator, if it is on the PATH. */
export async function findWrk(): Promise<ClosedLoopGenerator | undefined> {
  const version = await versionOfWrk();
  if (version === undefined) return undefined;
  return {
    name: `wrk ${version}`,
    async run({ url, exchange, body, headers, idempotencyKeys, connections, seconds }: ClosedLoopOptions) {
      const threads = Math.min(THREADS, connections);
      const wrk = spawn(
        'wrk',
        [
          ...[`-t${threads}`, `-c${connections}`, `-d${seconds}s`, '-s', SCRIPT],
          ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
          ...[url, '--', exchange.method, body],
          ...(idempotencyKeys ? [randomUUID()] : []),
        ],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let output = '';
      wrk.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
      await untilEnd(wrk, 'wrk', seconds + GRACE_SECONDS);
      return parseWrkReport(output);
    },
  };
}

/** `wrk -v` prints its version and ends with 1. */
function versionOfWrk(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('wrk', ['-v'], (error, stdout) => {
      if (error !== null && 'code' in error && error.code === 'ENOENT') resolve(undefined);
      else resolve(/^wrk (\S+)/.exec(stdout)?.[1]);
    });
  });
}

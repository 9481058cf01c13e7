import { Type } from 'typebox';
import { COMMON_EXIT_CODES, defineCommand, flag } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { oneLine } from '../printable.js';
import { queueFlags } from '../queue-flags.js';
import { withRedis } from '../redis.js';
import { diagnose } from './doctor.js';
import type { Diagnosis, Finding, Severity } from './finding.js';

const options = Type.Object({
  ...queueFlags,
  quiet: flag('Show warnings and errors only.'),
  strict: flag('Exit with 1 for warnings too.'),
});

export const doctorCommand = defineCommand({
  usage: ['[options]'],
  about: [
    'Looks at Redis (version, eviction, memory, persistence, replicas, latency, clock), at the kernel where Redis runs on this machine, and at the queue: streams nobody reads, backlog without live consumers, tasks held by dead ones, retries nobody takes, dead letters, keys of a wrong type, ledgers that do not add up. Changes nothing.',
  ],
  options,
  examples: [
    ['sluice doctor', 'everything'],
    ['sluice doctor --quiet --strict', 'before a deployment'],
    ['sluice doctor --json | jq ".findings[] | select(.severity == \\"error\\")"', 'for a program'],
  ],
  exitCodes: [
    [EXIT.ok, 'no error; there may be warnings'],
    [EXIT.found, 'an error; with --strict also a warning'],
    ...COMMON_EXIT_CODES,
  ],
  run: (options, _, terminal) =>
    withRedis(options.redis, async (redis) => {
      const diagnosis = await diagnose(redis, options.redis, options.stream);
      terminal.print(
        options.json ? JSON.stringify(diagnosis, undefined, 2) : doctorText(diagnosis, options.quiet),
      );
      const isBad = options.strict ? !isSpotless(diagnosis) : !diagnosis.ok;
      return isBad ? EXIT.found : EXIT.ok;
    }),
});

function isSpotless({ findings }: Diagnosis): boolean {
  return findings.every(({ severity }) => severity === 'ok' || severity === 'note');
}

const LABEL: Readonly<Record<Severity, string>> = {
  ok: 'ok     ',
  note: 'note   ',
  warning: 'WARNING',
  error: 'ERROR  ',
};

/** As long as the longest name of a check. */
const CHECK_WIDTH = 'cron schedules'.length;
const LABEL_WIDTH = 'WARNING'.length;

function doctorText({ findings, streamName, at }: Diagnosis, quiet: boolean): string {
  const shown = quiet
    ? findings.filter(({ severity }) => severity === 'warning' || severity === 'error')
    : findings;
  const count = (wanted: Severity) => findings.filter(({ severity }) => severity === wanted).length;
  return [
    `queue ${streamName}, ${at}`,
    '',
    ...shown.flatMap(lines),
    ...(shown.length > 0 ? [''] : []),
    `errors ${count('error')}, warnings ${count('warning')}, notes ${count('note')}, ok ${count('ok')}`,
  ].join('\n');
}

function lines({ check, severity, finding, remedy }: Finding): string[] {
  const first = `${LABEL[severity]}  ${check.padEnd(CHECK_WIDTH)}  ${oneLine(finding)}`;
  return remedy === undefined
    ? [first]
    : [first, `${' '.repeat(LABEL_WIDTH + 2 + CHECK_WIDTH + 2)}→ ${oneLine(remedy)}`];
}

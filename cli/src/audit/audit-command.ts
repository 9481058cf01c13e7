import { setTimeout as pause } from 'node:timers/promises';
import { Type } from 'typebox';
import { COMMON_EXIT_CODES, defineCommand, flag } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { plural } from '../printable.js';
import { groupFlag, queueFlags } from '../queue-flags.js';
import { withRedis } from '../redis.js';
import type { Terminal } from '../terminal.js';
import { audit } from './audit.js';
import type { AuditReport } from './report.js';
import { auditLine, auditText } from './report-text.js';
import { writeOff } from './write-off.js';

const options = Type.Object({
  ...queueFlags,
  group: groupFlag,
  type: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      value: 'type',
      description:
        'Audit the stream of this task type only, and look for no others. The dead-letter stream, which all types share, is then not checked.',
    }),
  ),
  'drop-oldest': flag(
    'The engine runs with STREAM_OVERFLOW=drop-oldest: count what is missing as dropped, not as lost.',
  ),
  'write-off': flag(
    'Accept what is lost, once you know why: it counts as dropped from now on, and the audit can be clean again.',
  ),
  watch: flag('Audit again and again until Ctrl-C, a line each time; findings as they come and go.'),
  every: Type.Number({
    minimum: 0.1,
    maximum: 86_400,
    default: 2,
    value: 'seconds',
    description: 'With --watch: seconds between two audits.',
  }),
});

export const auditCommand = defineCommand({
  usage: ['[options]'],
  about: [
    'Takes a snapshot of all streams of the queue in one atomic step and balances it: what Redis has ever appended against what the consumers have counted as settled, in the same steps that settled it, and what is still there. It changes nothing (but for --write-off) and may run at any time, beside engine and consumers. It costs Redis about 3 ms for each thousand tasks that run or wait for a retry.',
    'What is lost or stuck is named by its entry id where an id is left to name. "duplicated" is the most that may have run twice to the end: tasks taken from consumers that died or froze, and runs that were cut off.',
  ],
  options,
  examples: [
    ['sluice audit', 'the queue of make up, or of $REDIS_URL'],
    ['sluice audit --redis redis://db:6379 --group billing', 'another Redis, another group'],
    ['sluice audit --json | jq .total', 'the figures, for a program'],
    ['sluice audit --watch --every 5', 'while a deployment goes on'],
    ['sluice audit --write-off', 'accept the losses it has named'],
    ['sluice audit --type mail --type push', 'two streams only'],
  ],
  exitCodes: [
    [EXIT.ok, 'it adds up, and nothing is lost or stuck'],
    [EXIT.found, 'it does not add up, or something is lost or stuck; with --watch: at any time'],
    ...COMMON_EXIT_CODES,
  ],
  run: (options, _, terminal) =>
    withRedis(options.redis, async (redis) => {
      const look = () =>
        audit({
          redis,
          streamName: options.stream,
          group: options.group,
          dropOldest: options['drop-oldest'],
          ...(options.type !== undefined && { types: options.type }),
        });
      if (options.watch) return watch(look, options, terminal);
      let report = await look();
      if (options['write-off'] && !report.ok) {
        const count = await writeOff(redis, report);
        terminal.say(`written off: ${plural(count, 'task')}`);
        report = await look();
      }
      terminal.print(options.json ? JSON.stringify(report, undefined, 2) : auditText(report));
      return report.ok ? EXIT.ok : EXIT.found;
    }),
});

async function watch(
  look: () => Promise<AuditReport>,
  { json, every }: { json: boolean; every: number },
  terminal: Terminal,
): Promise<number> {
  let code: number = EXIT.ok;
  let known = new Set<string>();
  while (!terminal.interrupted.aborted) {
    const report = await look();
    if (!report.ok) code = EXIT.found;
    if (json) terminal.print(JSON.stringify(report));
    else {
      terminal.print(`${report.at}  ${auditLine(report.total)}`);
      const now = new Set(report.findings.map(({ key, message }) => `${key}: ${message}`));
      for (const finding of now) if (!known.has(finding)) terminal.print(`  found  ${finding}`);
      for (const finding of known) if (!now.has(finding)) terminal.print(`  gone   ${finding}`);
      known = now;
    }
    await pause(every * 1000, undefined, { signal: terminal.interrupted }).catch(() => undefined);
  }
  return code;
}

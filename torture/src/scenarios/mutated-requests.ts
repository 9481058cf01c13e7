import { seededWholeNumbers } from '@sluice/testbed';
import { mutated } from '../abuse/mutation.js';
import { manyTimes, type RawAnswer, sendRaw, taskRequest } from '../abuse/raw-request.js';
import { exactly, type Scenario, stated } from '../scenario.js';

const AT_ONCE = 128;
/** Who waits for bytes that will not come is silent for as long as the connection may be idle. */
const PATIENCE_MS = 100;
/** So many of the silent ones are waited for: the server must close them. */
const WAITED_FOR = 50;
const LONG_PATIENCE_MS = 30_000;
const ROUND = 20_000;
const FIRST = 1_000_000;
/** By name: an answer with which our code refused a request. */
const OF_OURS = /^\d+$/;

/** Requests with bytes changed, taken out, doubled and put in, anywhere. */
export const mutatedRequests: Scenario = {
  name: 'mutated-requests',
  promise:
    'whatever comes instead of a request, no process ends, nothing hangs, and nothing that was refused is stored',
  controls: { 'lax-server': 'a server stores what it refuses' },
  async run(arena) {
    const engine = await arena.engine({ STREAM_MAXLEN: '10000000' });
    const port = Number(new URL(engine.url).port);
    const below = seededWholeNumbers(4);
    const total = arena.size(3000, 1_000_000);
    const counts = new Map<string, number>();
    const silent: Buffer[] = [];
    let stored = 0;
    let refusedAndStored = 0;
    let unsure = 0;
    for (let sent = 0; sent < total; sent += ROUND) {
      const answers = new Map<number, string>();
      await manyTimes(Math.min(ROUND, total - sent), AT_ONCE, async (n) => {
        const number = FIRST + sent + n;
        const bytes = mutated(taskRequest(bodyOf(number)), below);
        const answer = await sendRaw({ port, pieces: [bytes], patienceMs: PATIENCE_MS });
        if (answer.end === 'silent' && silent.length < WAITED_FOR) silent.push(bytes);
        answers.set(number, nameOf(answer));
        counts.set(nameOf(answer), (counts.get(nameOf(answer)) ?? 0) + 1);
      });
      const entries = await arena.redis.xrange(arena.stream, '-', '+');
      stored += entries.length;
      for (const [, fields] of entries) {
        const answer = answers.get(numberIn(fields[fields.indexOf('payload') + 1] ?? ''));
        if (answer === undefined || answer === '202') continue;
        if (OF_OURS.test(answer)) refusedAndStored += 1;
        else unsure += 1;
      }
      await arena.redis.del(arena.stream); // or a million of them would be kept
      arena.progress(`${sent + ROUND} of ${total}`);
    }
    let hung = 0;
    await manyTimes(silent.length, silent.length, async (n) => {
      const pieces = [silent[n] as Buffer]; // n < length
      if ((await sendRaw({ port, pieces, patienceMs: LONG_PATIENCE_MS })).end === 'silent') hung += 1;
    });
    const count = (of: (status: number) => boolean) =>
      [...counts].reduce((sum, [name, times]) => sum + (of(Number(name)) ? times : 0), 0);
    const accepted = counts.get('202') ?? 0;
    return [
      stated(
        `answers to ${total} requests`,
        [...counts].map(([name, times]) => `${times}x ${name}`).join(', '),
      ),
      exactly(
        'server errors',
        count((status) => status >= 500),
        0,
      ),
      exactly('refused and stored', refusedAndStored, 0),
      // Garbage behind a whole request, which the binary answers at once: HTTP has no such requests.
      stated('stored, but cut off or answered by the binary for what came behind', String(unsure)),
      exactly('answered 202 and not stored', Math.max(0, accepted - stored), 0),
      exactly(`of ${silent.length} that waited for more, neither answered nor closed in 30 s`, hung, 0),
      exactly('processes ended', engine.deaths(), 0),
      exactly(
        'serves a good request afterwards',
        (await sendRaw({ port, pieces: [taskRequest('{"data":1}')], patienceMs: 5000 })).status ?? 0,
        202,
      ),
    ];
  },
};

/** The number twice: where a change has met it, the body cannot be told whose it is. */
function bodyOf(number: number): string {
  return `{"data":{"n":${number},"é":[null,"\\n"],"again":"${number}"}}`;
}

function numberIn(payload: string): number {
  const [, number, again] = /"n":(\d{7}),.*"again":"(\d{7})"/s.exec(payload) ?? [];
  return number !== undefined && number === again ? Number(number) : Number.NaN;
}

function nameOf({ status, isOurs, end }: RawAnswer): string {
  if (status === undefined) return end;
  return isOurs ? String(status) : `${status} by the binary`;
}

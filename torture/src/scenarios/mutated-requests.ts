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
/** Whether Redis is silent for a second is not the question. */
const APPEND_TIMEOUT = '30';
const FIRST = 1_000_000;
/** One in so many comes in two packets, cut anywhere. */
const CUT = 4;
/** One in so many comes as it was, with the changed one behind it. */
const DOUBLED = 8;
/** By name: an answer with which a request was refused, by our code or by the binary. */
const REFUSED = /^[45]\d\d/;
const OF_OURS = /^\d+$/;

/** Requests with bytes changed, taken out, doubled and put in, anywhere. */
export const mutatedRequests: Scenario = {
  name: 'mutated-requests',
  promise:
    'whatever comes instead of a request, no process ends, nothing hangs, and nothing that was refused is stored',
  controls: {
    'lax-server': 'a server stores what it refuses',
    'nothing-taken-back': 'an engine stores what was refused for what came behind it in the same packet',
  },
  async run(arena) {
    const engine = await arena.engine({ STREAM_MAXLEN: '10000000', APPEND_TIMEOUT });
    const port = Number(new URL(engine.url).port);
    const below = seededWholeNumbers(4);
    const total = arena.size(3000, 1_000_000);
    const counts = new Map<string, number>();
    const silent: Buffer[] = [];
    let stored = 0;
    let refusedAndStored = 0;
    /** Stored, and then refused by the binary for what came in the next packet. */
    let refusedLater = 0;
    /** Stored, and cut off without an answer, or with one that came too late. */
    let unsure = 0;
    for (let sent = 0; sent < total; sent += ROUND) {
      const answers = new Map<number, string>();
      await manyTimes(Math.min(ROUND, total - sent), AT_ONCE, async (n) => {
        const number = FIRST + sent + n;
        const request = taskRequest(bodyOf(number));
        const changed = mutated(request, below);
        const bytes = number % DOUBLED === 1 ? Buffer.concat([request, changed]) : changed;
        const pieces = number % CUT === 0 ? cut(bytes, below) : [bytes];
        const answer = await sendRaw({ port, pieces, patienceMs: PATIENCE_MS });
        if (answer.end === 'silent' && silent.length < WAITED_FOR) silent.push(bytes);
        answers.set(number, nameOf(answer));
        counts.set(nameOf(answer), (counts.get(nameOf(answer)) ?? 0) + 1);
      });
      const entries = await arena.redis.xrange(arena.stream, '-', '+');
      stored += entries.length;
      for (const [, fields] of entries) {
        const number = numberIn(fields[fields.indexOf('payload') + 1] ?? '');
        const answer = answers.get(number);
        if (answer === undefined || answer === '202') continue;
        if (!REFUSED.test(answer)) unsure += 1;
        else if (number % CUT === 0 && !OF_OURS.test(answer)) refusedLater += 1;
        else refusedAndStored += 1;
      }
      await arena.redis.del(arena.stream); // or a million of them would be kept
      arena.progress(`${sent + ROUND} of ${total}`);
    }
    let hung = 0;
    // Broken is what is stored: nobody has to wait for the rest.
    if (arena.broken !== undefined) silent.length = 0;
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
      // Its 202 was on its way: what is written to Redis cannot be taken back.
      stated(
        'stored, and refused by the binary for what came behind it in another packet',
        String(refusedLater),
      ),
      stated('stored, and closed or not answered in time', String(unsure)),
      exactly('answered 202 and not stored', Math.max(0, accepted - stored), 0),
      exactly(`of ${silent.length} that waited for more, neither answered nor closed in 30 s`, hung, 0),
      exactly('processes ended', engine.deaths(), 0),
      exactly(
        'serves a good request afterwards',
        (await sendRaw({ port, pieces: [taskRequest('{"data":1}')], patienceMs: LONG_PATIENCE_MS })).status ??
          0,
        202,
      ),
    ];
  },
};

function cut(bytes: Buffer, below: (bound: number) => number): Buffer[] {
  const at = below(bytes.length + 1);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

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

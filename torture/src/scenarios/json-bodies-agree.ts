import { Agent, request } from 'node:http';
import { seededWholeNumbers } from '@sluice/testbed';
import { mutated } from '../abuse/mutation.js';
import { manyTimes } from '../abuse/raw-request.js';
import { exactly, type Scenario, stated } from '../scenario.js';

const AT_ONCE = 64;
const ROUND = 20_000;
/** Whether Redis is silent for a second is not the question. */
const APPEND_TIMEOUT = '30';
const MOST_NAMED = 5;
const MOST_LEVELS = 128;

const DOCUMENTS = [
  '{"data":{"id":9007199254740993,"price":-12.50e-3,"tags":["a","b\\"c"],"ok":true,"none":null}}',
  '{"data":["é€😀","\\u00e9\\ud83d\\ude00",{"deep":[[[{}]]]}],"metadata":{"source":"test"}}',
  ' { "data" : "text" , "metadata" : { } } ',
  '{"data":0}',
  '{"data":[1,2,3,{"a":{"b":{"c":[true,false]}}}]}',
].map((text) => Buffer.from(text));

/** Bodies that are JSON, or nearly. */
export const jsonBodiesAgree: Scenario = {
  name: 'json-bodies-agree',
  promise:
    'a body is taken just when JSON.parse takes it and it has the form asked for; what is refused is not stored',
  controls: { 'lax-server': 'a server stores what it refuses' },
  async run(arena) {
    const engine = await arena.engine({ STREAM_MAXLEN: '10000000', APPEND_TIMEOUT });
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
    arena.afterwards(async () => agent.destroy());
    const below = seededWholeNumbers(5);
    const total = arena.size(10_000, 1_000_000);
    const counts = new Map<string, number>();
    const differing: string[] = [];
    let differ = 0;
    let stored = 0;
    for (let sent = 0; sent < total; sent += ROUND) {
      await manyTimes(Math.min(ROUND, total - sent), AT_ONCE, async () => {
        const body = mutated(DOCUMENTS[below(DOCUMENTS.length)] as Buffer, below); // below its length
        const status = await post(engine.url, agent, body);
        const wanted = wantedFor(body);
        counts.set(String(status), (counts.get(String(status)) ?? 0) + 1);
        if (wanted.includes(status)) return;
        differ += 1;
        if (differing.length < MOST_NAMED)
          differing.push(`${status} for ${JSON.stringify(body.toString('latin1'))}`);
      });
      stored += await arena.redis.xlen(arena.stream);
      await arena.redis.del(arena.stream); // or a million of them would be kept
      arena.progress(`${Math.min(total, sent + ROUND)} of ${total}`);
    }
    return [
      stated(
        `answers to ${total} bodies`,
        [...counts].map(([name, times]) => `${times}x ${name}`).join(', '),
      ),
      exactly('answered otherwise than JSON.parse and the rules say', differ, 0),
      ...differing.map((one) => stated('differs', one)),
      exactly('entries besides one for each 202', stored - (counts.get('202') ?? 0), 0),
      exactly('processes ended', engine.deaths(), 0),
    ];
  },
};

/** The statuses that are right for a body. */
function wantedFor(body: Buffer): readonly (number | string)[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return [400];
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [400];
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [422];
  if (!hasRightKeys(value, MOST_LEVELS)) return [422];
  const clean = Object.entries(value).map(([key, item]) => [key.replace(REMOVED, ''), item]);
  const { data, metadata, delay, run_at, ...rest } = Object.fromEntries(clean) as Record<string, unknown>;
  if (data === undefined || Object.keys(rest).length > 0) return [422];
  if (
    metadata !== undefined &&
    (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
  )
    return [422];
  // A change has made up a delay: whether it is a valid one is for other tests.
  return delay === undefined && run_at === undefined ? [202] : [202, 422];
}

function hasRightKeys(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  return Object.entries(value).every(
    ([key, item]) => !FORBIDDEN.has(key.replace(REMOVED, '')) && hasRightKeys(item, levels - 1),
  );
}

const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
// biome-ignore lint/suspicious/noControlCharactersInRegex: the characters that are removed before keys are looked at
const REMOVED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\p{Surrogate}/gu;

function post(url: string, agent: Agent, body: Buffer): Promise<number | string> {
  return new Promise((resolve) => {
    const sent = request(`${url}/tasks`, {
      method: 'POST',
      agent,
      headers: { 'Content-Type': 'application/json', 'Content-Length': body.length },
    });
    sent.setTimeout(60_000, () => sent.destroy(new Error('hung')));
    sent.on('error', (error) => resolve(error.message));
    sent.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 'no status'));
    });
    sent.end(body);
  });
}

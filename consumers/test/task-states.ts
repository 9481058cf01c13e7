import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Fixture } from './fixture.js';

/** The states of docs/task-states.md. */
export type State =
  | 'nowhere'
  | 'scheduled'
  | 'waiting'
  | 'running'
  | 'parked'
  | 'suspect'
  | 'done'
  | 'dead'
  | 'lost';

const DOCUMENT = new URL('../../../docs/task-states.md', import.meta.url);
const STREAM = 'tasks:stream';
const GROUP = 'processors';
const PARKED = '~parked';
const LOOK_MS = 2;

// One look at everything, so that no state is put together from two moments.
// A delayed task has no entry yet: until it has, ARGV[2] is its task id.
const LOOK = `
local id = ARGV[2]
if redis.call('HEXISTS', KEYS[5], id) == 1 then return { 'scheduled' } end
if not string.match(id, '^%d+-%d+$') then
  for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
    for i = 2, #entry[2], 2 do if entry[2][i] == ARGV[2] then id = entry[1] end end
  end
  if id == ARGV[2] then return { 'nowhere' } end
end
local function count(field) return tonumber(redis.call('HGET', KEYS[3], field) or '0') end
local dead = 0
for _, letter in ipairs(redis.call('XRANGE', KEYS[4], '-', '+')) do
  for i = 1, #letter[2], 2 do
    if letter[2][i] == 'source_id' and letter[2][i + 1] == id then dead = 1 end
  end
end
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], id, id, 1)
local owner, deliveries = '', 0
if not pending.err and pending[1] then owner, deliveries = pending[1][2], pending[1][4] end
return { #redis.call('XRANGE', KEYS[1], id, id), owner, deliveries, redis.call('HGET', KEYS[2], id) or '', dead,
  count('done'), count('lost') }`;

/**
 * The state a task is in, by what stands in Redis about its entry, or under its task id while it is delayed. The only
 * task of its queue that ends, or is lost.
 */
export async function stateOf({ redis, keys }: Fixture, entryId: string): Promise<State> {
  const reply = await redis.eval(
    LOOK,
    5,
    STREAM,
    keys.attempts(STREAM, GROUP),
    keys.ledger(STREAM, GROUP),
    keys.deadLetters,
    keys.schedule(STREAM).tasks,
    GROUP,
    entryId,
  );
  const [word] = reply as unknown[];
  if (word === 'scheduled' || word === 'nowhere') return word;
  const [there, owner, deliveries, history, dead, done, lost] = reply as [
    number,
    string,
    number,
    string,
    number,
    number,
    number,
  ]; // as LOOK returns it
  if (dead === 1) return 'dead';
  if (owner === PARKED) {
    const [failed = 0, , excused = 0] = history.split(':').map(Number);
    return deliveries - failed - excused >= 2 ? 'suspect' : 'parked';
  }
  if (owner !== '') return 'running';
  if (there === 1) return 'waiting';
  if (lost > 0) return 'lost';
  return done > 0 ? 'done' : 'nowhere';
}

/** Follows one task, and remembers the states it was seen in. */
export class Trail {
  readonly states: State[] = [];
  /** Empty where it is not known. */
  readonly taskId: string;
  readonly #queue: Fixture;
  readonly #entryId: string;

  constructor(queue: Fixture, entryId: string, taskId = '') {
    this.taskId = taskId;
    this.#queue = queue;
    this.#entryId = entryId;
  }

  /** Waits until the task is in this state. */
  async reaches(wanted: State, timeoutMs = 60_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline) {
      const state = await stateOf(this.#queue, this.#entryId);
      if (this.states.at(-1) !== state) this.states.push(state);
      if (state === wanted) return;
      await pause(LOOK_MS);
    }
    throw new Error(`the task was ${this.states.join(', ')}, but in ${timeoutMs} ms never ${wanted}`);
  }
}

/** One row of the table, or one arrow of the diagram. */
export interface Transition {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/** The transitions that the document names in its table. */
export function transitionsOfTable(): Transition[] {
  const [, table = ''] = readFileSync(DOCUMENT, 'utf8').split('## Transitions');
  return table
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1) // the heading
    .map((line) => {
      const [name = '', from = '', to = ''] = line
        .slice(1)
        .split('|')
        .map((cell) => cell.trim());
      return { name, from: from === '' ? 'nowhere' : from, to };
    });
}

/** The transitions that the document draws, those to the end aside. */
export function transitionsOfDiagram(): Transition[] {
  const [, diagram = ''] = /```mermaid\n([^`]*)```/.exec(readFileSync(DOCUMENT, 'utf8')) ?? [];
  return [...diagram.matchAll(/^ *(\S+) --> (\w+): (.+)$/gm)].map(([, from = '', to = '', name = '']) => ({
    name,
    from: from === '[*]' ? 'nowhere' : from,
    to,
  }));
}

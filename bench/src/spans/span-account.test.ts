import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NAMED_WRITE, PARENT, REQUEST, SeenSpan, SPAN, TASK, TASK_ID, TRACE, WRITE } from './seen-span.js';
import { SpanAccount, type SpanFaults } from './span-account.js';

/** Of every number an id is made; the trace of a request has its number, its task too. */
function ids(span: SeenSpan, word: number, count: number, number: number): void {
  for (let i = 0; i < count; i++) span.words[word + i] = number * 1000 + i;
}

type Made = (span: SeenSpan) => void;

function request(n: number, write = 100): Made {
  return (span) => {
    span.kind = REQUEST;
    ids(span, TRACE, 4, n);
    ids(span, SPAN, 2, n);
    ids(span, TASK_ID, 4, n);
    ids(span, NAMED_WRITE, 4, 1);
    ids(span, NAMED_WRITE + 4, 2, write);
    span.hasTaskId = true;
    span.namesWrite = true;
  };
}

function batch(n: number, tasks: number): Made {
  return (span) => {
    span.kind = REQUEST;
    ids(span, TRACE, 4, n);
    ids(span, SPAN, 2, n);
    span.tasks = tasks;
  };
}

function task(n: number, { trace = n, taskId = n } = {}): Made {
  return (span) => {
    span.kind = TASK;
    ids(span, TRACE, 4, trace);
    ids(span, SPAN, 2, 500 + n);
    ids(span, PARENT, 2, n);
    ids(span, TASK_ID, 4, taskId);
    span.hasParent = true;
  };
}

/** A write in the trace of request 1, with links to some. */
function write(links: readonly number[], tasks = links.length, number = 100): Made {
  return (span) => {
    span.kind = WRITE;
    ids(span, TRACE, 4, 1);
    ids(span, SPAN, 2, number);
    span.tasks = tasks;
    for (const [i, n] of links.entries()) {
      for (let word = 0; word < 4; word++) span.links[i * 6 + word] = n * 1000 + word;
      for (let word = 0; word < 2; word++) span.links[i * 6 + 4 + word] = n * 1000 + word;
    }
    span.linkCount = links.length;
  };
}

/** What is wrong with these spans, whichever comes first. */
function faultsOf(made: readonly Made[]): Partial<SpanFaults> {
  const both = [made, [...made].reverse()].map((order) => {
    const account = new SpanAccount(20);
    const span = new SeenSpan();
    for (const make of order) {
      span.clear();
      make(span);
      account.take(span);
    }
    const { faults } = account.report();
    return Object.fromEntries(Object.entries(faults).filter(([, count]) => count > 0));
  });
  assert.deepEqual(both[0], both[1]);
  return both[0] ?? {};
}

describe('the account of spans', () => {
  it('finds nothing wrong with what belongs together, in whatever order it came', () => {
    assert.deepEqual(faultsOf([request(1), request(2), task(1), task(2), write([1, 2])]), {});
    assert.deepEqual(faultsOf([batch(1, 3), task(1), task(1), task(1), write([1], 3)]), {});
  });

  const WRONG: readonly (readonly [what: string, spans: Made[], faults: Partial<SpanFaults>])[] = [
    ['a task without its span', [request(1), write([1])], { tasksMissing: 1 }],
    ['a span that came twice', [request(1), task(1), task(1), write([1])], { repeated: 1 }],
    ['a task of no request', [request(1), task(1), task(2), write([1])], { strayTasks: 1 }],
    ['a task in another trace', [request(1), task(1, { trace: 3 }), write([1])], { otherTrace: 1 }],
    ['the span of another task', [request(1), task(1, { taskId: 2 }), write([1])], { otherTask: 1 }],
    ['a write that did not come', [request(1), task(1)], { writesMissing: 1, linksMissing: 1 }],
    [
      'a request that its write does not link to',
      [request(1), request(2), task(1), task(2), write([1], 2)],
      { linksMissing: 1 },
    ],
    ['a link to no request', [request(1), task(1), write([1, 2], 1)], { linksWrong: 1 }],
    ['a write of another size', [request(1), task(1), write([1], 2)], { sizesWrong: 1 }],
    ['a task of a batch too few', [batch(1, 2), task(1), write([1], 2)], { tasksMissing: 1 }],
  ];
  for (const [what, spans, faults] of WRONG) {
    it(`finds ${what}`, () => assert.deepEqual(faultsOf(spans), faults));
  }
});

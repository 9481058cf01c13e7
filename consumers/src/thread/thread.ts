import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { describeThrown, SluiceError } from '@sluice/contract';
import type { ConsumerEvent } from '@sluice/telemetry';
import { taskSpansOf } from '../broken.js';
import { loadHandlers } from '../handlers/handler-registry.js';
import { TaskSpans } from '../traces/task-spans.js';
import { limitEvents } from './event-limit.js';
import { sendableError } from './sent-error.js';
import { ThreadConsumer } from './thread-consumer.js';
import type { FromThread, ThreadSetup, ToThread } from './thread-messages.js';

// The entry of a worker thread: loads the handlers, works tasks off, does what the supervisor says.

if (parentPort === null) throw new Error('thread.js is started by a consumer, as a worker thread');
const supervisor: MessagePort = parentPort;
const setup = workerData as ThreadSetup; // what thread-pool.ts passes

try {
  // Before the handlers, which may bring instrumentation of their own.
  const spans =
    setup.spans === undefined ? undefined : await TaskSpans.open(setup.spans, taskSpansOf(setup.broken));
  const handlers = await loadHandlers(setup.modules, setup.options);
  const consumer = new ThreadConsumer(setup, handlers, limitEvents(report), spans);
  consumer.start();
  supervisor.on('message', (message: ToThread) => {
    switch (message.type) {
      case 'look':
        consumer.lookForDue();
        return;
      case 'leases-lost':
        consumer.leasesLost(message.lost);
        return;
      case 'stop':
        void consumer.stop().then(() => tell({ type: 'stopped' }));
        return;
    }
  });
  tell({ type: 'ready', policies: consumer.policies });
} catch (error) {
  const code = error instanceof SluiceError ? error.code : 'INTERNAL_ERROR';
  tell({ type: 'failed', code, message: describeThrown(error).message });
}

function tell(message: FromThread): void {
  supervisor.postMessage(message);
}

function report(event: ConsumerEvent): void {
  tell({
    type: 'event',
    event: event.type === 'internal-error' ? { ...event, error: sendableError(event.error) } : event,
  });
}

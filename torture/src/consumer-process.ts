import { type ConsumerOptions, createConsumer } from '@sluice/consumers';

// A consumer as a process of its own, which can be made to break a promise. Its argument says how, as JSON. Events go
// to standard output, a line each.

/** What the process is started with. */
export interface ConsumerSetup {
  options: Partial<ConsumerOptions>;
  /** URL of the handler of untyped tasks. */
  handler: string;
  broken: string | undefined;
}

const { options, handler, broken } = JSON.parse(process.argv[2] ?? '') as ConsumerSetup; // written by Arena
const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);
const consumer = createConsumer({
  ...(broken === undefined ? {} : { [Symbol.for('sluice.break')]: broken }),
  handlers: { default: handler },
  ...options,
  listener: say,
});
process.once('SIGTERM', () => {
  if (broken === 'exit-at-once') process.exit(0);
  void consumer.stop().then(() => {
    say({ type: 'counters', ...consumer.counters });
    process.exit(0);
  });
});
// Whoever started us has gone: nobody wants our work any more.
process.once('disconnect', () => process.exit(1));
await consumer.start();
process.send?.({ type: 'ready' });

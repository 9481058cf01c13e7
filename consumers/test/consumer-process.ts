import { type ConsumerOptions, createConsumer } from '@sluice/consumers';

// A consumer as a process of its own, for tests that kill or freeze it. CONSUMER_OPTIONS holds its options as JSON. Its
// listener throws at events of the type CONSUMER_LISTENER_THROWS, and the process lives on.

const options = JSON.parse(process.env.CONSUMER_OPTIONS ?? '{}') as Partial<ConsumerOptions>; // written by the fixture
const broken = process.env.CONSUMER_BREAK; // a negative control
const consumer = createConsumer({
  ...(broken === undefined ? {} : { [Symbol.for('sluice.break')]: broken }),
  handlers: {
    default: new URL('./handlers/scripted.js', import.meta.url),
    measured: new URL('./handlers/measured.js', import.meta.url),
  },
  ...options,
  listener: (event) => {
    console.log(JSON.stringify(event));
    if (event.type === process.env.CONSUMER_LISTENER_THROWS)
      throw new Error(`a listener fails at ${event.type}`);
  },
});
if (process.env.CONSUMER_LISTENER_THROWS !== undefined) {
  process.on('uncaughtException', (error) => console.log(`uncaught: ${error.message}`));
}
process.once('SIGTERM', () => {
  void consumer.stop().then(() => process.exit(0));
});
await consumer.start();
process.send?.({ type: 'ready' });

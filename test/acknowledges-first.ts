// A consumer program that acknowledges each task before its handler has run: what the crash test must catch.
import { type ConsumerOptions, createConsumer } from '@sluice/consumers';

const { REDIS_URL = '', HANDLER_MODULE = '' } = process.env;
const { default: handlers } = (await import(HANDLER_MODULE)) as { default: ConsumerOptions['handlers'] };
const broken = { [Symbol.for('sluice.break')]: 'acknowledge-first' };
const consumer = createConsumer({ redisUrl: REDIS_URL, handlers, leaseSeconds: 2, ...broken });
await consumer.start();
process.send?.({ type: 'ready' });

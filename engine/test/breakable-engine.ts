import { createEngine } from '@sluice/engine';

// An engine as a process of its own, which can be asked to break a promise.

const broken = process.env.ENGINE_BREAK; // a negative control
const engine = createEngine({
  ...(broken === undefined ? {} : { [Symbol.for('sluice.break')]: broken }),
  redisUrl: process.env.REDIS_URL ?? '',
  streamName: process.env.REDIS_STREAM_NAME ?? '',
  host: '127.0.0.1',
  port: 0,
});
const { url } = await engine.start();
process.send?.({ type: 'ready', url });

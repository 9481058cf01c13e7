// An engine in a process of its own that breaks a promise, for negative controls.
// Arguments: the url of Redis, and the promise.
import { createEngine } from '@sluice/engine';

const [, , redisUrl = '', broken = ''] = process.argv;
const engine = createEngine({
  [Symbol.for('sluice.break')]: broken,
  redisUrl,
  host: '127.0.0.1',
  port: 0,
  streamMaxlen: 10_000_000,
});
const { url } = await engine.start();
process.on('disconnect', () => process.exit());
process.send?.({ type: 'ready', url, opsUrl: url });

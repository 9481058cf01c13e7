import { type RedisServer, startRedis, waitFor } from '@sluice/testbed';
import { connect } from './stream-queue.js';

const IN_STEP_WITHIN_MS = 30_000;

/** A replica of this Redis, once it has all that Redis has. */
export async function startReplica(of: RedisServer): Promise<RedisServer> {
  const replica = await startRedis({ config: { replicaof: `127.0.0.1 ${of.port}` } });
  const redis = await connect(of.url);
  try {
    await waitFor(async () => /^slave0:.*state=online/m.test(await redis.info('replication')), {
      timeoutMs: IN_STEP_WITHIN_MS,
      what: 'the replica to be in step',
    });
    return replica;
  } catch (error) {
    await replica.stop();
    throw error;
  } finally {
    redis.disconnect();
  }
}

import type { TestContext } from 'node:test';
import type { EngineOptions } from '@sluice/engine';
import { type RedisServer, startRedis, waitFor } from '@sluice/testbed';
import { Redis } from 'ioredis';
import { type RunningEngine, runEngine } from './fixture.js';

/** An engine in front of a Redis that has a replica. */
export interface ReplicatedEngine extends RunningEngine {
  master: RedisServer;
  replica: RedisServer;
  atMaster: Redis;
  atReplica: Redis;
}

/** Starts one whose replica keeps up, stopped when the test ends. */
export async function runReplicated(t: TestContext, options: EngineOptions = {}): Promise<ReplicatedEngine> {
  const servers = [
    await startRedis({ config: { 'repl-diskless-sync-delay': '0' } }),
    await startRedis(),
  ] as const;
  const [master, replica] = servers;
  const clients = servers.map((server) => {
    const client = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    client.on('error', () => {}); // some tests take it away
    return client;
  });
  const [atMaster, atReplica] = clients as [Redis, Redis]; // one for each of the two
  t.after(async () => {
    for (const client of clients) client.disconnect();
    for (const server of servers) await server.stop();
  });
  const engine = await runEngine(t, master.url, options);
  const replicated = { ...engine, master, replica, atMaster, atReplica };
  await follow(replicated);
  return replicated;
}

/** Makes the replica one, and waits until it keeps up. */
export async function follow({ master, atMaster, atReplica }: ReplicatedEngine): Promise<void> {
  await atReplica.replicaof('127.0.0.1', master.port);
  // Before, it is sent nothing: up to a second passes until it has said that it is filled.
  await waitFor(
    async () => {
      await atMaster.set('written', 'to be replicated');
      return /^slave0:.*state=online,offset=[1-9]/m.test(await atMaster.info('replication'));
    },
    { timeoutMs: 20_000, what: 'the replica' },
  );
}

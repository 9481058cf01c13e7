/** What every connection of Sluice to Redis has in common, as options for ioredis. */
export interface RedisConnectionOptions {
  protocol: 2;
  lazyConnect: true;
  enableOfflineQueue: false;
  autoResendUnfulfilledCommands: false;
  maxRetriesPerRequest: 0;
  commandTimeout: number;
  socketTimeout: number;
  connectTimeout: number;
  connectionName: string;
  retryStrategy: (times: number) => number;
  reconnectOnError: (error: Error) => boolean;
}

/**
 * Options for an ioredis connection that never resends, never queues while offline, and settles every
 * command: with its reply, or with an error within `timeoutMs`.
 *
 * ioredis by default resends what was in flight when it reconnects, which appends twice what was appended
 * already, and without a command timeout a promise can stay open for good.
 *
 * @param timeoutMs how long Redis may stay silent while a command waits, before the connection is given up
 */
export function redisConnection(connectionName: string, timeoutMs: number): RedisConnectionOptions {
  return {
    // RESP3 answers XREADGROUP with a map; the same code then reads nothing and reports nothing.
    protocol: 2,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    connectTimeout: timeoutMs,
    connectionName,
    retryStrategy: (times) => Math.min(25 * 2 ** Math.min(times, 10), 500),
    // After a failover the old master answers READONLY: only a new connection finds the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

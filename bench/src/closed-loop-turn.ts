import { BODY } from './load/body.js';
import { TASK_EXCHANGE } from './load/closed-loop.js';
import type { Latency } from './load/latency.js';
import type { BenchOptions } from './options.js';
import type { Peer } from './peers/peer.js';
import { numberText } from './report.js';
import type { Bench } from './scenario.js';
import { refuseFailures, type Turn, withCost } from './turn.js';

/** What a peer did in a closed loop: each connection sends its next task when the last is answered. */
export interface ClosedLoopTurn extends Turn {
  connections: number;
  tasksPerSecond: number;
  /** Of a request, however many tasks it holds. */
  latency: Latency;
}

export interface ClosedLoopLoad {
  connections: number;
  /** @default a task of 189 bytes */
  body?: string;
  /** @default none but the content type */
  headers?: Readonly<Record<string, string>>;
  /** Every request has an `Idempotency-Key` of its own. @default false */
  idempotencyKeys?: boolean;
  /** Behind the path where tasks are posted. @default nothing */
  path?: string;
  /** Tasks that a body holds. @default 1 */
  tasksOfRequest?: number;
}

/** What of the bench is needed. */
export type ClosedLoopBench = Pick<Bench, 'generator' | 'running' | 'progress'> & {
  options: Pick<BenchOptions, 'seconds' | 'warmUpSeconds'>;
};

/** @throws BenchFault when a task is refused, or accepted and not stored */
export async function takeClosedLoopTurn(
  { generator, options, running, progress }: ClosedLoopBench,
  peer: Peer,
  round: number,
  {
    connections,
    body = BODY,
    headers = {},
    idempotencyKeys = false,
    path = '',
    tasksOfRequest = 1,
  }: ClosedLoopLoad,
): Promise<ClosedLoopTurn> {
  return running.use(
    () => peer.start(),
    async (server) => {
      const { url, exchange = TASK_EXCHANGE, redisVersion } = server;
      const load = async (seconds: number) => {
        const result = await generator.run({
          ...{ url: url + path, exchange, body, headers, idempotencyKeys, connections, seconds },
        });
        return { ...result, accepted: result.accepted * tasksOfRequest };
      };
      const warmUp = await load(options.warmUpSeconds);
      const { result, cost } = await withCost(server, () => load(options.seconds));
      refuseFailures(peer, server, [warmUp, result]);
      // Each of the two loads ends with up to one request per connection under way.
      await server.verify(warmUp.accepted + result.accepted, 2 * connections * tasksOfRequest);
      const { accepted, latency } = result;
      const tasksPerSecond = accepted / result.seconds;
      progress(
        `round ${round}, ${connections} connections, ${peer.name}: ${numberText(tasksPerSecond)} tasks/s`,
      );
      const figures = { connections, accepted, tasksPerSecond, latency };
      return { peer: peer.name, round, ...figures, ...cost, redisVersion };
    },
  );
}

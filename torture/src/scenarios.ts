import type { Scenario } from './scenario.js';
import { bodiesAtTheBound } from './scenarios/bodies-at-the-bound.js';
import { delaysAreKept } from './scenarios/delays-are-kept.js';
import { diskFullPasses } from './scenarios/disk-full-passes.js';
import { downstreamDead } from './scenarios/downstream-dead.js';
import { droppedRepliesHangNothing } from './scenarios/dropped-replies-hang-nothing.js';
import { frozenRedisIsBounded } from './scenarios/frozen-redis-is-bounded.js';
import { groupsDoNotDisturbEachOther } from './scenarios/groups-do-not-disturb-each-other.js';
import { jsonBodiesAgree } from './scenarios/json-bodies-agree.js';
import { killedConsumersLoseNothing } from './scenarios/killed-consumers-lose-nothing.js';
import { killedRedisLosesNo202 } from './scenarios/killed-redis-loses-no-202.js';
import { lateResultsAreFenced } from './scenarios/late-results-are-fenced.js';
import { longTasksRunOnce } from './scenarios/long-tasks-run-once.js';
import { mutatedRequests } from './scenarios/mutated-requests.js';
import { poisonIsIsolated } from './scenarios/poison-is-isolated.js';
import { redisFaultsPass } from './scenarios/redis-faults-pass.js';
import { requestsCutAnywhere } from './scenarios/requests-cut-anywhere.js';
import { retriesAreOnTime } from './scenarios/retries-are-on-time.js';
import { sigtermFinishesWork } from './scenarios/sigterm-finishes-work.js';
import { slowConnections } from './scenarios/slow-connections.js';

/** All scenarios, in the order they run. */
export const SCENARIOS: readonly Scenario[] = [
  killedConsumersLoseNothing,
  killedRedisLosesNo202,
  droppedRepliesHangNothing,
  redisFaultsPass,
  diskFullPasses,
  poisonIsIsolated,
  longTasksRunOnce,
  lateResultsAreFenced,
  downstreamDead,
  retriesAreOnTime,
  delaysAreKept,
  sigtermFinishesWork,
  groupsDoNotDisturbEachOther,
  bodiesAtTheBound,
  requestsCutAnywhere,
  mutatedRequests,
  jsonBodiesAgree,
  slowConnections,
  frozenRedisIsBounded,
];

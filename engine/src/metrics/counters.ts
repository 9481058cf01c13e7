import type { EngineCounters } from '@sluice/telemetry';

/** Counters that all are zero. */
export function newCounters(): EngineCounters {
  return {
    requests: 0,
    accepted: 0,
    replayed: 0,
    refused: {},
    shed: {},
    aborted: 0,
    appended: 0,
    batches: 0,
    inFlightRequests: 0,
    inFlightBytes: 0,
    inFlightBatchTasks: 0,
    breakerOpened: 0,
    spansExported: 0,
    spansDropped: {},
  };
}

import type { Check } from '../facts.js';

const SLOW_MS = 10;
const VERY_SLOW_MS = 100;
const SKEW_MS = 1000;
const MANY_CLIENTS = 0.9;

export const latency: Check = {
  name: 'latency',
  look: ({ redis: { pings } }) => {
    const p50 = pings[Math.floor(pings.length * 0.5)] ?? 0;
    const p99 = pings[Math.floor(pings.length * 0.99)] ?? 0;
    const finding = `PING from here: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms over ${pings.length}`;
    const remedy =
      'look at SLOWLOG GET and LATENCY DOCTOR of Redis, at its disk with appendfsync always, and at the way to it';
    if (p99 > VERY_SLOW_MS) return [{ severity: 'error', finding, remedy }];
    return p99 > SLOW_MS ? [{ severity: 'warning', finding, remedy }] : [{ severity: 'ok', finding }];
  },
};

export const clock: Check = {
  name: 'clock',
  look: ({ redis: { clockAheadMs, clockPrecisionMs } }) => {
    const off = Math.abs(clockAheadMs);
    const finding = `the clock of this machine is ${Math.round(off)} ms ${clockAheadMs < 0 ? 'behind' : 'ahead of'} that of Redis (± ${Math.ceil(clockPrecisionMs)} ms)`;
    if (off - clockPrecisionMs <= SKEW_MS) return [{ severity: 'ok', finding }];
    return [
      {
        severity: 'warning',
        finding: `${finding}: retries do not mind, they go by Redis; timestamps and traces of tasks do`,
        remedy: 'have both machines synchronise their clocks (chrony, systemd-timesyncd)',
      },
    ];
  },
};

export const connections: Check = {
  name: 'connections',
  look: ({ redis: { info } }) => {
    const clients = Number(info.get('connected_clients') ?? 0);
    const most = Number(info.get('maxclients') ?? 0);
    const rejected = Number(info.get('rejected_connections') ?? 0);
    const finding = `${clients} connections of at most ${most}, ${rejected} rejected since the start`;
    const remedy =
      'raise maxclients and the limit of open files of Redis; a consumer has two connections per thread';
    if (most > 0 && clients > most * MANY_CLIENTS) return [{ severity: 'error', finding, remedy }];
    return rejected > 0 ? [{ severity: 'warning', finding, remedy }] : [{ severity: 'ok', finding }];
  },
};

import { createHash } from 'node:crypto';

/** The task id of one run of a cron schedule: the same UUID whoever enqueues it, so that a run is recognised. */
export function runId(streamName: string, schedule: string, run: number): string {
  const hash = createHash('sha1').update(`sluice:cron:${streamName}\0${schedule}\0${run}`).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6); // version 5: by name (RFC 9562)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

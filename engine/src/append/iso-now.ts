let isoMillisecond = 0;
let isoText = '';

/** The current time, ISO 8601; made once per millisecond. */
export function isoNow(): string {
  const now = Date.now();
  if (now !== isoMillisecond) {
    isoMillisecond = now;
    isoText = new Date(now).toISOString();
  }
  return isoText;
}

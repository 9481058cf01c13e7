let isoMillisecond = 0;
let isoText = '';
/** How many have stopped the clock. */
let holders = 0;

/** The current time, ISO 8601; made once per millisecond, and not looked up while {@link holdTime} holds. */
export function isoNow(): string {
  if (holders > 0) return isoText;
  const now = Date.now();
  if (now !== isoMillisecond) {
    isoMillisecond = now;
    isoText = new Date(now).toISOString();
  }
  return isoText;
}

/**
 * Has all tasks of one turn of the event loop bear the time of the first: to ask for the time costs a hundredth of what a
 * task costs. Whoever holds it has asked for it in the same turn, and lets go of it when that is over.
 */
export function holdTime(): void {
  holders++;
}

export function letTimeGoOn(): void {
  holders--;
}

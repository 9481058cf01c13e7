/** Slope of the straight line through points that fits best (least squares), per unit of x; NaN for less than two. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = meanOf(points.map(([x]) => x));
  const meanY = meanOf(points.map(([, y]) => y));
  let covariance = 0;
  let variance = 0;
  for (const [x, y] of points) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
  }
  return covariance / variance;
}

/** By how much the middle value of the last tenth is above that of the first; NaN for none. */
export function riseOf(values: readonly number[]): number {
  const tenth = Math.max(1, Math.floor(values.length / 10));
  return medianOf(values.slice(-tenth)) - medianOf(values.slice(0, tenth));
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

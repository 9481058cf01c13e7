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

/** Of the points of each stretch of x that is this wide, the lowest. */
export function lowestPerWindow(
  points: readonly (readonly [x: number, y: number])[],
  width: number,
): (readonly [x: number, y: number])[] {
  const lowest = new Map<number, readonly [x: number, y: number]>();
  const first = points[0]?.[0] ?? 0;
  for (const point of points) {
    const window = Math.floor((point[0] - first) / width);
    const known = lowest.get(window);
    if (known === undefined || point[1] < known[1]) lowest.set(window, point);
  }
  return [...lowest.values()];
}

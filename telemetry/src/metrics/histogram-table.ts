/**
 * Histograms with the same fixed buckets, side by side in one typed array, so that recording makes no object and rows
 * can be summed, sent to another process, or lie in memory that threads share.
 *
 * ```
 * row  │ bucket 0 │ bucket 1 │ … │ above the last bound │ sum │      counts of each bucket by itself, not cumulated
 * ```
 */
export class HistogramTable {
  /** Numbers of one row. */
  readonly width: number;
  readonly rows: number;
  private readonly values: Float64Array;
  private readonly last: number;

  /**
   * @param bounds upper bounds of all buckets but the last, rising
   * @param memory where the rows lie; as large as {@link bytesOfHistograms} says, and zero
   */
  constructor(
    private readonly bounds: readonly number[],
    rows: number,
    memory: ArrayBuffer | SharedArrayBuffer = new ArrayBuffer(bytesOfHistograms(bounds, rows)),
    byteOffset = 0,
  ) {
    this.width = bounds.length + 2;
    this.rows = rows;
    this.last = bounds.length;
    this.values = new Float64Array(memory, byteOffset, rows * this.width);
  }

  /** Counts a value, in the unit of the bounds, `times` times. */
  record(row: number, value: number, times = 1): void {
    const { bounds, last, values } = this;
    const start = row * this.width;
    let bucket = 0;
    while (bucket < last && value > (bounds[bucket] as number)) bucket++; // below the length
    values[start + bucket] = (values[start + bucket] as number) + times; // a row of ours
    values[start + last + 1] = (values[start + last + 1] as number) + value * times;
  }

  /** A copy of a row. */
  copyOf(row: number): Float64Array {
    return this.values.slice(row * this.width, (row + 1) * this.width);
  }

  /** Adds a row of another table with the same bounds. */
  add(row: number, other: Float64Array): void {
    const start = row * this.width;
    for (let i = 0; i < this.width; i++) {
      this.values[start + i] = (this.values[start + i] as number) + (other[i] as number); // both are that wide
    }
  }
}

/** How many bytes a table takes. */
export function bytesOfHistograms(bounds: readonly number[], rows: number): number {
  return rows * (bounds.length + 2) * Float64Array.BYTES_PER_ELEMENT;
}

/** How many values a row has counted. */
export function countOf(row: Float64Array): number {
  let count = 0;
  for (let bucket = 0; bucket < row.length - 1; bucket++) count += row[bucket] as number; // below the length
  return count;
}

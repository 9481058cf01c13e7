/**
 * Rows of whole numbers, each found by a span id, which stands in its first two words. The memory has its full size from
 * the start, so that it cannot grow; what is never used of it never becomes resident.
 */
export class SpanRows {
  readonly words: Uint32Array;
  /** Rows that are used. */
  count = 0;
  /** A place by the first word of the id: the row there plus one, 0 for none. */
  private readonly places: Uint32Array;
  private readonly mask: number;

  constructor(
    private readonly capacity: number,
    readonly width: number,
  ) {
    const places = 2 ** Math.ceil(Math.log2(2 * capacity + 1));
    this.words = new Uint32Array(capacity * width);
    this.places = new Uint32Array(places);
    this.mask = places - 1;
  }

  /**
   * Where the row of a span begins; a new one is 0 but for its id.
   *
   * @throws RangeError when there are more spans than were to be expected
   */
  at(high: number, low: number): number {
    const { words, places, width } = this;
    for (let place = (high ^ low) & this.mask; ; place = (place + 1) & this.mask) {
      const row = places[place] as number; // the mask keeps it inside
      if (row === 0) return this.add(place, high, low);
      const start = (row - 1) * width;
      if (words[start] === high && words[start + 1] === low) return start;
    }
  }

  private add(place: number, high: number, low: number): number {
    if (this.count === this.capacity) throw new RangeError(`more than ${this.capacity} spans of a kind`);
    const start = this.count * this.width;
    this.count++;
    this.places[place] = this.count;
    this.words[start] = high;
    this.words[start + 1] = low;
    return start;
  }
}

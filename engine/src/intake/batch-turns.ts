/** How long work on batches may take before other requests get their turn. */
const TURN_MS = 5;
/** Most tasks that are handed to Redis in one turn, and so in one write. */
const TURN_TASKS = 1000;
/** Bytes of work between two looks at the clock. */
const LOOK_EVERY_BYTES = 16 * 1024;

/** What may be done with batches in one turn of the event loop. */
export class Turn {
  tasksLeft = TURN_TASKS;
  private readonly endsAt = performance.now() + TURN_MS;
  private sinceLook = 0;

  /** Notes work, as so many bytes that were looked at once. Returns whether the turn is over. */
  spend(bytes: number): boolean {
    this.sinceLook += bytes;
    if (this.tasksLeft > 0 && this.sinceLook < LOOK_EVERY_BYTES) return false;
    this.sinceLook = 0;
    return this.tasksLeft === 0 || performance.now() >= this.endsAt;
  }
}

/**
 * Works on batches one after the other, a turn of the event loop at a time, so that 10,000 tasks delay nobody by more than
 * a turn. One that is not through at the end of a turn goes behind the others.
 *
 * It can hold as many batches as there may be requests in flight.
 */
export class BatchTurns<Batch> {
  private readonly waiting: Batch[] = [];
  private isTurnTaken = false;

  /** @param advance works on a batch until it is through or the turn is over; returns whether it is through */
  constructor(private readonly advance: (batch: Batch, turn: Turn) => boolean) {}

  /**
   * Works on a batch, at once if nothing else was worked on in this turn.
   *
   * @param keep called before this returns, if the batch is not through
   */
  add(batch: Batch, keep: () => void): void {
    if (!this.isTurnTaken && this.takeTurn(batch) === undefined) return;
    keep();
    this.waiting.push(batch);
  }

  /** Works on batches for a turn. Returns the one that is not through when it is over. */
  private takeTurn(first: Batch): Batch | undefined {
    this.isTurnTaken = true;
    const turn = new Turn();
    let batch: Batch | undefined = first;
    while (batch !== undefined && this.advance(batch, turn)) batch = this.waiting.shift();
    // Only now, and so after the write of what was handed in: or that of the next turn would go with it.
    setImmediate(this.nextTurn);
    return batch;
  }

  private readonly nextTurn = (): void => {
    this.isTurnTaken = false;
    const batch = this.waiting.shift();
    const unfinished = batch === undefined ? undefined : this.takeTurn(batch);
    if (unfinished !== undefined) this.waiting.push(unfinished);
  };
}

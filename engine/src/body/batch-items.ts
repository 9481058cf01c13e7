import { type ContentType, SluiceError } from '@sluice/contract';

/** What all ways to find the items of a batch need to know. */
export interface ItemRules {
  /** Most items that a batch may have. */
  readonly maxItems: number;
  /** The option that says so, for the message. */
  readonly maxItemsName: string;
  readonly maxDepth: number;
  /** Whether it is worth knowing of an item that `isPlainEnvelope` would let it through. */
  readonly wantsPlain: boolean;
}

/**
 * Where the items of a batch are in its body, found one by one, so that a large batch can be looked over in several
 * turns of the event loop. What is found is not copied, and no object is made of it.
 */
export abstract class BatchItems {
  count = 0;
  /** Whether all items have been found, and the body is in order around them. */
  isComplete = false;
  /** The encoding of each item. */
  abstract readonly contentType: ContentType;
  private readonly starts: Int32Array;
  private readonly ends: Int32Array;
  private readonly plain: Uint8Array;

  /** @param body may be replaced, between two calls, by a copy of itself */
  constructor(
    public body: Buffer,
    protected readonly rules: ItemRules,
  ) {
    // Each item but the last has a byte behind it, or in msgpack a byte at least.
    const most = Math.min(rules.maxItems, body.length);
    this.starts = new Int32Array(most);
    this.ends = new Int32Array(most);
    this.plain = new Uint8Array(most);
  }

  /**
   * Finds the next item, or that there is none.
   *
   * @throws SluiceError `INVALID_JSON`, `INVALID_MSGPACK` or `INVALID_UTF8` when the body is not a list of items as a
   * whole, `PAYLOAD_TOO_LARGE` when there are too many
   */
  abstract findNext(): void;

  startOf(index: number): number {
    return this.starts[index] as number; // index < count
  }

  endOf(index: number): number {
    return this.ends[index] as number; // index < count
  }

  /** Whether an item is surely in order as it stands. False only means that somebody has to look closer. */
  isPlain(index: number): boolean {
    return this.plain[index] === 1;
  }

  protected add(start: number, end: number, isPlain: boolean): void {
    if (this.count === this.rules.maxItems) throw tooManyItems(this.rules);
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.plain[this.count] = isPlain ? 1 : 0;
    this.count++;
  }
}

/** The refusal of a batch with more items than it may have. */
export function tooManyItems({ maxItems, maxItemsName }: ItemRules): SluiceError {
  return new SluiceError(
    'PAYLOAD_TOO_LARGE',
    `the batch has more than ${maxItems} tasks; allowed: up to ${maxItems} (${maxItemsName})`,
  );
}

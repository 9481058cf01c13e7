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
  /**
   * Where each item starts and ends; of one that is not plain, the complement of its end. An array that grows: typed ones
   * for as many items as a batch may have are 90 KB outside of the heap, for which V8 looked through all of it 12 times a second.
   */
  private readonly bounds: number[] = [];
  /** Of the body, to read several bytes at once. */
  protected view: DataView;

  constructor(
    public body: Buffer,
    protected readonly rules: ItemRules,
  ) {
    this.view = viewOf(body);
  }

  /** Copies the body, whose memory is not ours. To be called between two looks for an item. */
  keepBody(): void {
    this.body = Buffer.from(this.body);
    this.view = viewOf(this.body);
  }

  /**
   * Finds the next item, or that there is none.
   *
   * @throws SluiceError `INVALID_JSON`, `INVALID_MSGPACK` or `INVALID_UTF8` when the body is not a list of items as a
   * whole, `PAYLOAD_TOO_LARGE` when there are too many
   */
  abstract findNext(): void;

  startOf(index: number): number {
    return this.bounds[2 * index] as number; // index < count
  }

  endOf(index: number): number {
    const end = this.bounds[2 * index + 1] as number; // index < count
    return end < 0 ? ~end : end;
  }

  /** Whether an item is surely in order as it stands. False only means that somebody has to look closer. */
  isPlain(index: number): boolean {
    return (this.bounds[2 * index + 1] as number) >= 0; // index < count
  }

  protected add(start: number, end: number, isPlain: boolean): void {
    if (this.count === this.rules.maxItems) throw tooManyItems(this.rules);
    this.bounds.push(start, isPlain ? end : ~end);
    this.count++;
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

/** The refusal of a batch with more items than it may have. */
export function tooManyItems({ maxItems, maxItemsName }: ItemRules): SluiceError {
  return new SluiceError(
    'PAYLOAD_TOO_LARGE',
    `the batch has more than ${maxItems} tasks; allowed: up to ${maxItems} (${maxItemsName})`,
  );
}

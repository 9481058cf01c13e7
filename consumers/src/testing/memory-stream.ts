import { SluiceError } from '@sluice/contract';

/** Entries that one stream holds at most; a test that wants more is after something else than its handlers. */
const MOST_ENTRIES = 100_000;

/** A Redis stream, as far as tasks need one. */
export class MemoryStream {
  readonly name: string;
  /** Ids in the order of appending, those of deleted entries too. */
  readonly ids: string[] = [];
  /** Groups that read it: with more than one, settled entries stay. */
  groups = 0;
  readonly #fields = new Map<string, readonly Buffer[]>();
  #lastMs = 0;
  #sequence = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Entries that are in it now. */
  get length(): number {
    return this.#fields.size;
  }

  /**
   * Appends an entry, and returns its id.
   *
   * @param fields name, value, name, value …
   * @throws SluiceError `OVERLOADED` when it holds as many as it may
   */
  append(fields: readonly Buffer[], now: number): string {
    if (this.#fields.size >= MOST_ENTRIES) {
      throw new SluiceError(
        'OVERLOADED',
        `${this.name} holds ${MOST_ENTRIES} entries, the most a test queue takes; drain it in between`,
      );
    }
    const ms = Math.floor(now);
    this.#sequence = ms === this.#lastMs ? this.#sequence + 1 : 0;
    this.#lastMs = ms;
    const id = `${ms}-${this.#sequence}`;
    this.ids.push(id);
    this.#fields.set(id, fields);
    return id;
  }

  fieldsOf(id: string): readonly Buffer[] | undefined {
    return this.#fields.get(id);
  }

  delete(id: string): void {
    this.#fields.delete(id);
  }

  /** The entries that are in it now, the oldest first. */
  entries(): IterableIterator<[id: string, fields: readonly Buffer[]]> {
    return this.#fields.entries();
  }
}

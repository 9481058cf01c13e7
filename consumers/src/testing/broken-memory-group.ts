import type { Broken } from '../broken.js';
import type { LeftAlone } from '../settling/outcome-writer.js';
import { MemoryGroup, type Recovered } from './memory-group.js';
import type { MemoryStream } from './memory-stream.js';
import type { VirtualClock } from './virtual-clock.js';

/** A group: as it should be, unless it is asked to be wrong, for the negative controls of the conformance suite. */
export function memoryGroup(
  stream: MemoryStream,
  name: string,
  deadLetters: MemoryStream,
  clock: VirtualClock,
  broken: Broken | undefined,
): MemoryGroup {
  return broken === undefined
    ? new MemoryGroup(stream, name, deadLetters, clock)
    : new BrokenMemoryGroup(stream, name, deadLetters, clock, broken);
}

/** The same wrongs as those of consumers on a real Redis; see broken.ts. */
class BrokenMemoryGroup extends MemoryGroup {
  readonly #broken: Broken;
  readonly #now: () => number;

  constructor(
    stream: MemoryStream,
    name: string,
    deadLetters: MemoryStream,
    clock: VirtualClock,
    broken: Broken,
  ) {
    super(stream, name, deadLetters, clock);
    this.#broken = broken;
    this.#now = () => clock.now;
  }

  override acknowledge(consumer: string, ids: readonly string[]): LeftAlone {
    const left = super.acknowledge(consumer, ids);
    if (this.#broken === 'delete-when-settled') for (const id of ids) this.stream.delete(id);
    if (this.#broken !== 'no-fencing') return left;
    for (const id of left.fenced) this.settle(id, 'done');
    return { fenced: [], lost: [] };
  }

  override park(
    consumer: string,
    entries: readonly { id: string; deliveries: number; delayMs: number }[],
  ): LeftAlone {
    switch (this.#broken) {
      case 'no-attempt-count':
        return super.release(
          consumer,
          entries.map(({ id }) => ({ id, reason: 'excused' })),
        );
      case 'no-backoff':
        return super.park(
          consumer,
          entries.map((entry) => ({ ...entry, delayMs: 0 })),
        );
      case 'retry-by-append':
        for (const { id } of entries) this.#appendCopy(id);
        return super.park(consumer, entries);
      default:
        return super.park(consumer, entries);
    }
  }

  override recover(leaseMs: number): Recovered {
    return this.#broken === 'no-take-over' ? { freed: new Map(), lost: [] } : super.recover(leaseMs);
  }

  override renew(consumer: string, id: string, deliveries: number): boolean {
    return this.#broken === 'no-renewal' || super.renew(consumer, id, deliveries);
  }

  /** A copy is not copied again, or there would be no end to it. */
  #appendCopy(id: string): void {
    const fields = this.stream.fieldsOf(id);
    if (fields === undefined || fields.some((field) => field.toString() === 'copy_of')) return;
    this.stream.append([...fields, Buffer.from('copy_of'), Buffer.from(id)], this.#now());
  }
}

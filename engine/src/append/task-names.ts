import { TASK_ID_LENGTH, TRACEPARENT_LENGTH, writeTaskId, writeTraceparent } from '@sluice/contract';

/** What one task is called, as text of one byte a character: its id, and then a traceparent of its own. */
export interface TaskName {
  /** Holds the names of many tasks. */
  readonly names: Uint8Array;
  /** Where the id of this task starts. */
  readonly nameAt: number;
}

/** Bytes of one name. */
export const NAME_LENGTH = TASK_ID_LENGTH + TRACEPARENT_LENGTH;
/** So few that a task that stays long does not keep much memory for those that went: 6 KiB. */
const NAMES = 64;

/**
 * Names for tasks, written in advance and never as strings: an id is copied twice, into the command and into the
 * answer, and byte by byte out of an array costs a tenth of what the same costs with the characters of a string.
 */
export class TaskNames {
  /** Where the name taken last stands. */
  block = new Uint8Array(0);
  private at = 0;

  /** Takes the next name. Returns where in `block` it starts; it stays as it is. */
  take(): number {
    if (this.at === this.block.length) this.refill();
    const at = this.at;
    this.at = at + NAME_LENGTH;
    return at;
  }

  private refill(): void {
    this.block = new Uint8Array(NAMES * NAME_LENGTH);
    for (let at = 0; at < this.block.length; at += NAME_LENGTH) writeTaskName(this.block, at);
    this.at = 0;
  }
}

/** Writes a new name. */
export function writeTaskName(to: Uint8Array, at: number): void {
  writeTaskId(to, at);
  writeTraceparent(to, at + TASK_ID_LENGTH);
}

/** The id of a task as a string. */
export function taskIdOf({ names, nameAt }: TaskName): string {
  return Buffer.from(names.buffer, names.byteOffset + nameAt, TASK_ID_LENGTH).toString('latin1');
}

/** The traceparent of a task that came without one, as a string. */
export function ownTraceparentOf({ names, nameAt }: TaskName): string {
  const start = names.byteOffset + nameAt + TASK_ID_LENGTH;
  return Buffer.from(names.buffer, start, TRACEPARENT_LENGTH).toString('latin1');
}

import { DEFAULT_DIGEST_DIR } from '../digest/digest-folder.js';
import { DigestWriter } from '../digest/digest-writer.js';

/** What a handler makes of an event. */
export interface Happening {
  /** `owner/name`, or null for events that concern no repository. */
  repository: string | null;
  /** One sentence for people. */
  what: string;
  /** What the event adds to the counters of its repository. */
  counts: Readonly<Record<string, number>>;
}

// One per worker thread: each thread loads this module for itself.
const digest = new DigestWriter(process.env.DIGEST_DIR || DEFAULT_DIGEST_DIR);

/**
 * Writes down what one run of a task did. The only effect a handler has, and its last step.
 *
 * Delivery is at least once: a task whose consumer dies between this line and its acknowledgement runs
 * again, under the same id. So the line carries the id, and counters are not kept beside the digest but
 * worked out from it, each id counted once (see activity/activity.ts). With counters in a second place, a
 * crash between the two writes would make them disagree for good; here there is one write, and nothing to
 * disagree with.
 */
export function record(task: { id: string; attempt: number; type: string }, happening: Happening): void {
  digest.append({
    task_id: task.id,
    attempt: task.attempt,
    at: new Date().toISOString(),
    type: task.type,
    ...happening,
  });
}

/**
 * What one run of one task did: a line of the digest. Self-contained, so that everything else this service
 * knows (counters, reports) can be worked out from the lines alone.
 */
export interface DigestLine {
  /** First field of every line: see {@link parseLine}. */
  task_id: string;
  /** 1 on the first run; higher when an earlier run failed or its consumer died. */
  attempt: number;
  /** When the handler was done, ISO 8601 in UTC. */
  at: string;
  /** Task type, `default` for events without a schema. */
  type: string;
  /** `owner/name`, or null for events that concern no repository. */
  repository: string | null;
  /** One sentence for people. */
  what: string;
  /** What this task adds to the counters of its repository. */
  counts: Readonly<Record<string, number>>;
}

/** A line and its newline as bytes, to be written by one call. */
export function encodeLine(line: DigestLine): Buffer {
  const { task_id, ...rest } = line;
  return Buffer.from(`${JSON.stringify({ task_id, ...rest })}\n`);
}

const LINE_START = '{"task_id":';

/**
 * The line a text holds, or undefined if there is none.
 *
 * A process that was killed, or a disk that was full, in the middle of a write leaves the first half of a
 * line behind, and the next writer's line follows it without a newline between them. The half belongs to a
 * task that was not acknowledged and will run again; the whole line after it counts, so it is looked for:
 * its opening cannot occur inside a JSON string, where quotes are escaped.
 */
export function parseLine(text: string): DigestLine | undefined {
  const start = text.lastIndexOf(LINE_START);
  if (start < 0) return undefined;
  try {
    const line: unknown = JSON.parse(text.slice(start));
    return isDigestLine(line) ? line : undefined;
  } catch {
    return undefined;
  }
}

function isDigestLine(value: unknown): value is DigestLine {
  if (typeof value !== 'object' || value === null) return false;
  const line = value as Partial<Record<keyof DigestLine, unknown>>; // every field is looked at before it is believed
  return (
    typeof line.task_id === 'string' &&
    typeof line.attempt === 'number' &&
    typeof line.at === 'string' &&
    typeof line.type === 'string' &&
    (line.repository === null || typeof line.repository === 'string') &&
    typeof line.what === 'string' &&
    typeof line.counts === 'object' &&
    line.counts !== null
  );
}

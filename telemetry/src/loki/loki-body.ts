/** A line on its way, read once: its place among the streams of Loki, and its time. */
export interface WaitingLine {
  readonly level: string;
  /** Nanoseconds since 1970, as Loki wants them. */
  readonly time: string;
  /** Without the line feed. */
  readonly text: string;
  readonly bytes: number;
}

/** Lines that differ in nothing but the nanosecond keep their order in Loki: within a millisecond they are counted. */
const NANOSECONDS_IN_MS = 1_000_000;

/**
 * Reads a line of the log.
 *
 * @param sequence how many lines came before it
 * @param now milliseconds since 1970, for a line that does not say when it was written
 */
export function waitingLine(line: string, sequence: number, now: number): WaitingLine {
  const text = line.trimEnd();
  const level = /"level":"([A-Z]+)"/.exec(text)?.[1] ?? 'INFO';
  const written = Date.parse(/"timestamp":"([^"]+)"/.exec(text)?.[1] ?? '');
  const ms = Number.isNaN(written) ? now : written;
  return {
    level,
    time: `${ms}${String(sequence % NANOSECONDS_IN_MS).padStart(6, '0')}`,
    text,
    bytes: Buffer.byteLength(line),
  };
}

/**
 * The body of one push: `{"streams": [{"stream": labels, "values": [[time, line], …]}, …]}`, a stream for each level.
 * Task and trace are no labels: Loki keeps an index entry for every value that a label ever had.
 *
 * Source: grafana.com/docs/loki, HTTP API, `POST /loki/api/v1/push`.
 */
export function pushBody(lines: readonly WaitingLine[], labels: Readonly<Record<string, string>>): string {
  const streams = new Map<string, [time: string, line: string][]>();
  for (const { level, time, text } of lines) {
    const values = streams.get(level);
    if (values === undefined) streams.set(level, [[time, text]]);
    else values.push([time, text]);
  }
  return JSON.stringify({
    streams: [...streams].map(([level, values]) => ({ stream: { ...labels, level }, values })),
  });
}

/** A sample of a page in the text format of Prometheus. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric of such a page. */
export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/;
const SUFFIX = /_(bucket|sum|count)$/;

/**
 * Reads a page in the text format of Prometheus, version 0.0.4, strictly: HELP and TYPE before the samples of a metric,
 * which follow one another, no sample twice, buckets that rise and end with the count.
 *
 * @throws Error at the first line that breaks a rule
 */
export function parseExposition(page: string): Map<string, Family> {
  if (!page.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, { type: string; help: string; samples: Sample[] }>();
  const seen = new Set<string>();
  let current = '';
  for (const line of page.slice(0, -1).split('\n')) {
    const [, keyword, name = '', text = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (families.has(name)) throw new Error(`${name} comes twice`);
      current = name;
      families.set(name, { type: '', help: text, samples: [] });
    } else if (keyword === 'TYPE') {
      const family = families.get(name);
      if (family === undefined || name !== current) throw new Error(`TYPE without HELP: ${line}`);
      family.type = text;
    } else {
      const sample = sampleOf(line);
      const family = families.get(current);
      const bare = family?.type === 'histogram' ? sample.name.replace(SUFFIX, '') : sample.name;
      if (family === undefined || bare !== current) throw new Error(`not where it belongs: ${line}`);
      const key = line.slice(0, line.lastIndexOf(' '));
      if (seen.has(key)) throw new Error(`a sample comes twice: ${line}`);
      seen.add(key);
      family.samples.push(sample);
    }
  }
  for (const [name, family] of families) if (family.type === 'histogram') checkBuckets(name, family.samples);
  return families;
}

function sampleOf(line: string): Sample {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  let rest = line.slice(name.length);
  if (rest.startsWith('{')) {
    do {
      rest = rest.slice(1);
      const [pair, label, value] = LABEL.exec(rest) ?? [];
      if (pair === undefined || label === undefined) throw new Error(`a label is wrong: ${line}`);
      labels[label] = (value ?? '').replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
      rest = rest.slice(pair.length);
    } while (rest.startsWith(','));
    if (!rest.startsWith('}')) throw new Error(`labels do not end: ${line}`);
    rest = rest.slice(1);
  }
  const [, text = ''] = /^ (\S+)$/.exec(rest) ?? [];
  const value = text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text === '' ? Number.NaN : text);
  if (Number.isNaN(value)) throw new Error(`no number: ${line}`);
  return { name, labels, value };
}

function checkBuckets(name: string, samples: readonly Sample[]): void {
  let last = { bound: Number.NEGATIVE_INFINITY, count: 0 };
  for (const { name: of, labels, value } of samples) {
    if (of === `${name}_bucket`) {
      const bound = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
      if (!(bound > last.bound) || value < last.count) throw new Error(`buckets of ${name} do not rise`);
      last = { bound, count: value };
    } else if (of === `${name}_count`) {
      if (last.bound !== Number.POSITIVE_INFINITY || last.count !== value) {
        throw new Error(`the last bucket of ${name} is not its count`);
      }
      last = { bound: Number.NEGATIVE_INFINITY, count: 0 };
    }
  }
}

/** The value of the only sample that has these labels, and maybe more; undefined when there is none. */
export function sampleValue(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(SUFFIX, ''));
  const found = (family?.samples ?? []).filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found.length > 1) throw new Error(`${found.length} samples of ${name} have the labels asked for`);
  return found[0]?.value;
}

/** What is used of a file that `node --cpu-prof` writes: https://chromedevtools.github.io/devtools-protocol/tot/Profiler */
export interface CpuProfile {
  nodes: readonly { id: number; callFrame: CallFrame }[];
  /** Microseconds on the clock of monotonicMs. */
  startTime: number;
  /** Ids of nodes. */
  samples: readonly number[];
  /** Microseconds before each sample. */
  timeDeltas: readonly number[];
}

interface CallFrame {
  functionName: string;
  /** Empty for what is not JavaScript. */
  url: string;
  /** From 0. */
  lineNumber: number;
}

/** A function, and the time in which it ran itself, not what it called. */
export interface HotFunction {
  name: string;
  url: string;
  /** From 1. */
  line: number;
  selfSeconds: number;
  /** Of the time in which the process was not idle. */
  part: number;
}

const IDLE = '(idle)';

/** The part of a profile between two times of monotonicMs. */
export function during(profile: CpuProfile, fromMs: number, toMs: number): CpuProfile {
  const { nodes, startTime } = profile;
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  let at = startTime;
  profile.samples.forEach((id, n) => {
    const delta = profile.timeDeltas[n] ?? 0;
    at += delta;
    if (at < fromMs * 1000 || at > toMs * 1000) return;
    samples.push(id);
    timeDeltas.push(delta);
  });
  return { nodes, startTime: fromMs * 1000, samples, timeDeltas };
}

/** Seconds in which the process did anything. */
export function busySeconds(profile: CpuProfile): number {
  return functionsOf(profile).reduce((sum, { selfSeconds }) => sum + selfSeconds, 0);
}

/** The functions that took most time themselves, most first. */
export function hotFunctions(profile: CpuProfile, most: number): HotFunction[] {
  const all = functionsOf(profile);
  const busy = all.reduce((sum, { selfSeconds }) => sum + selfSeconds, 0);
  return all
    .map((one) => ({ ...one, part: one.selfSeconds / busy }))
    .sort((a, b) => b.selfSeconds - a.selfSeconds)
    .slice(0, most);
}

/** A function called from several places has a node for each of them. */
function functionsOf({ nodes, samples, timeDeltas }: CpuProfile): Omit<HotFunction, 'part'>[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const functions = new Map<string, Omit<HotFunction, 'part'>>();
  samples.forEach((id, n) => {
    const frame = frames.get(id);
    if (frame === undefined || frame.functionName === IDLE) return;
    const { functionName, url, lineNumber } = frame;
    const key = `${functionName} ${url}:${lineNumber}`;
    const known = functions.get(key);
    const seconds = (timeDeltas[n] ?? 0) / 1_000_000;
    if (known !== undefined) known.selfSeconds += seconds;
    else {
      const name = functionName === '' ? '(anonymous)' : functionName;
      functions.set(key, { name, url, line: lineNumber + 1, selfSeconds: seconds });
    }
  });
  return [...functions.values()];
}

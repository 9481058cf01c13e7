import { type BigIntStats, readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { describeThrown, type Fault, parseApiKeys, SluiceError } from '@sluice/contract';
import type { EngineListener } from '@sluice/telemetry';
import { KeyRing } from './key-ring.js';

/** A new file is taken once two looks have found it the same: somebody may still be writing it. */
const LOOK_EVERY_MS = 250;
const MOST_BYTES = 4 * 1024 * 1024;

/** What a file holds: keys, or something that is wrong. */
type Content = { ring: KeyRing; text: string } | { reason: string };

/**
 * The file of API keys, read again when it changes: written in place, replaced by another, or behind a symbolic link that
 * leads elsewhere, as in Kubernetes. It is looked at rather than watched, since no notification tells all of these.
 * While the file is wrong or gone, the keys last read stay valid.
 */
export class ApiKeysFile {
  /** The keys that are valid now. */
  ring: KeyRing;
  /** What the file held when it was last right. */
  text: string;
  private isRefused = false;
  /** The states of the file that was read last, and that was seen last. */
  private readMark = '';
  private seenMark = '';
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  /**
   * @param lastText what the file held when it was last right, in case it is not now
   * @throws SluiceError `INVALID_OPTIONS` when the file is wrong and there is no such text
   */
  constructor(
    private readonly file: string,
    private readonly listener: EngineListener,
    lastText?: string,
  ) {
    let content = contentNow(file);
    if ('reason' in content && lastText !== undefined) content = contentOf(Buffer.from(lastText));
    if ('reason' in content) {
      const fault = faultOf(file, content.reason);
      throw new SluiceError('INVALID_OPTIONS', `${fault.path} ${fault.reason}`, { details: [fault] });
    }
    ({ ring: this.ring, text: this.text } = content);
  }

  start(): void {
    this.lookLater();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private lookLater(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.look().then(() => this.lookLater()), LOOK_EVERY_MS);
    this.timer.unref();
  }

  /** Never rejects. */
  private async look(): Promise<void> {
    const mark = await stat(this.file, { bigint: true }).then(markOf, codeOf);
    const isSettled = mark === this.seenMark;
    this.seenMark = mark;
    if (mark === this.readMark || !isSettled) return;
    this.readMark = mark;
    const content = await readFile(this.file).then(contentOf, unreadable);
    if (!this.stopped) this.take(content);
  }

  private take(content: Content): void {
    if ('reason' in content) {
      this.isRefused = true;
      this.listener({ type: 'api-keys-refused', file: this.file, reason: content.reason });
      return;
    }
    const isNews = this.isRefused || content.text !== this.text;
    this.isRefused = false;
    ({ ring: this.ring, text: this.text } = content);
    if (isNews) this.listener({ type: 'api-keys-loaded', file: this.file, keys: this.ring.size });
  }
}

/** What is wrong with the file of API keys, if one is given. */
export function faultOfApiKeysFile({ apiKeysFile }: { apiKeysFile?: string | undefined }): Fault | undefined {
  if (apiKeysFile === undefined) return undefined;
  const content = contentNow(apiKeysFile);
  return 'reason' in content ? faultOf(apiKeysFile, content.reason) : undefined;
}

function contentNow(file: string): Content {
  try {
    return contentOf(readFileSync(file));
  } catch (error) {
    return unreadable(error);
  }
}

function contentOf(bytes: Buffer): Content {
  if (bytes.length > MOST_BYTES) return { reason: `it has more than ${MOST_BYTES} bytes` };
  const text = bytes.toString();
  try {
    return { ring: new KeyRing(parseApiKeys(text)), text };
  } catch (error) {
    return { reason: describeThrown(error).message };
  }
}

function unreadable(error: unknown): Content {
  return { reason: `it cannot be read (${codeOf(error)})` };
}

function codeOf(error: unknown): string {
  return (error as Partial<NodeJS.ErrnoException>).code ?? describeThrown(error).message;
}

/** Another file, or other content, has another mark. */
function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

function faultOf(file: string, reason: string): Fault {
  return {
    path: 'apiKeysFile',
    reason: `is ${JSON.stringify(file)}: ${reason}; allowed: a readable file, <name> <scopes> <sha256 hex of the key> in each line`,
  };
}

import type { HttpRequest } from 'uWebSockets.js';
import type { EngineListener } from '@sluice/telemetry';
import type { Refusal } from '../http/answers.js';
import { Cors } from '../http/cors.js';
import { parseOrigins } from '../http/origins.js';
import { ApiKeysFile } from './api-keys-file.js';

/** Who may send, and which web pages may read the answers. There is none where both are off. */
export class Access {
  constructor(
    readonly keys: ApiKeysFile | undefined,
    readonly cors: Cors | undefined,
  ) {}

  /** Why a request may not send tasks of a type, or, without a type, any at all; nothing if it may. */
  refusal(request: HttpRequest, taskType?: string): Refusal | undefined {
    return this.keys?.ring.refusal(request, taskType);
  }

  /** Who sends a request that is not refused; empty where anybody may. */
  holder(request: HttpRequest): string {
    return this.keys?.ring.holder(request) ?? '';
  }
}

/**
 * @param lastKeys what the file of keys held when it was last right; whoever gives it reports on the file too
 * @throws SluiceError `INVALID_OPTIONS` when the file of keys is wrong
 */
export function accessOf(
  { apiKeysFile, corsOrigins }: { apiKeysFile?: string | undefined; corsOrigins: string },
  listener: EngineListener,
  lastKeys: string | undefined,
): Access | undefined {
  const origins = parseOrigins(corsOrigins);
  if (apiKeysFile === undefined && origins === undefined) return undefined;
  return new Access(
    apiKeysFile === undefined
      ? undefined
      : new ApiKeysFile(apiKeysFile, lastKeys === undefined ? listener : () => {}, lastKeys),
    origins === undefined || origins === 'wrong' ? undefined : new Cors(origins),
  );
}

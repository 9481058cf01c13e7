import type { HttpRequest } from 'uWebSockets.js';
import { type ApiKey, digestOfApiKey } from '@sluice/contract';
import type { Refusal } from '../http/answers.js';

type Headers = Pick<HttpRequest, 'getHeader'>;

/** The API keys that are valid now, and what each of them opens. */
export class KeyRing {
  private readonly byDigest: ReadonlyMap<string, ApiKey>;

  constructor(keys: readonly ApiKey[]) {
    this.byDigest = new Map(keys.map((key) => [key.digest, key]));
  }

  /** How many keys there are. */
  get size(): number {
    return this.byDigest.size;
  }

  /**
   * Why a request may not send tasks of a type; nothing if it may. How long it takes says nothing of a key: what is
   * looked up is the digest, which nobody can steer.
   *
   * @param scope the task type; without one, any key will do
   */
  refusal(request: Headers, scope: string | undefined): Refusal | undefined {
    const presented = presentedKey(request);
    if (presented === '') return NO_KEY;
    const key = this.byDigest.get(digestOfApiKey(presented));
    if (key === undefined) return UNKNOWN_KEY;
    if (scope === undefined || key.scopes === '*' || key.scopes.includes(scope)) return undefined;
    return missingScope(scope);
  }

  /** The name of the key that a request presents; undefined when it presents none that is known. */
  holder(request: Headers): string | undefined {
    return this.byDigest.get(digestOfApiKey(presentedKey(request)))?.name;
  }
}

const BEARER = 'bearer ';

/** The key of `Authorization: Bearer <key>` (RFC 6750, 2.1), else of `X-API-Key`; '' without one. */
function presentedKey(request: Headers): string {
  const authorization = request.getHeader('authorization');
  if (authorization.slice(0, BEARER.length).toLowerCase() === BEARER) {
    return authorization.slice(BEARER.length).trim();
  }
  // Another scheme is for a proxy in front.
  return request.getHeader('x-api-key');
}

const NO_KEY: Refusal = {
  code: 'UNAUTHORIZED',
  message: 'an API key is needed; send it as "Authorization: Bearer <key>" or "X-API-Key: <key>"',
  headers: [['WWW-Authenticate', 'Bearer']],
};

const UNKNOWN_KEY: Refusal = {
  code: 'UNAUTHORIZED',
  message: 'the API key is not known, or not any more',
  headers: [['WWW-Authenticate', 'Bearer error="invalid_token"']],
};

function missingScope(scope: string): Refusal {
  return {
    code: 'FORBIDDEN',
    message: `the API key may not send this: it lacks the scope "${scope}"`,
    // A scope is the name of a task type: it has no quote in it.
    headers: [['WWW-Authenticate', `Bearer error="insufficient_scope", scope="${scope}"`]],
  };
}

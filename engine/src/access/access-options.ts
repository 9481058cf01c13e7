import { Option, type PairCheck } from '@sluice/contract';
import type { Static, TObject } from 'typebox';
import { parseOrigins } from '../http/origins.js';
import { faultOfTlsFiles } from '../http/tls-files.js';

/** The options that say who may talk to an engine, and how. All of it is off unless it is set. */
export const accessOptions = {
  tlsCertFile: Option.Optional(
    Option.String({
      env: 'TLS_CERT_FILE',
      minLength: 1,
      description:
        'File with the certificate of the intake and its chain, PEM. With it and `TLS_KEY_FILE`, the intake speaks HTTPS only, TLS 1.2 or later. Read at the start.',
    }),
  ),
  tlsKeyFile: Option.Optional(
    Option.String({
      env: 'TLS_KEY_FILE',
      minLength: 1,
      description: 'File with the private key of that certificate, PEM, without a passphrase.',
    }),
  ),
  apiKeysFile: Option.Optional(
    Option.String({
      env: 'API_KEYS_FILE',
      minLength: 1,
      description:
        'File of the API keys with which tasks may be sent, a line each: `<name> <scopes> <sha256 hex of the key>` (`sluice keys create` writes it). Without a key: 401; without the scope: 403. Read again when it changes.',
    }),
  ),
  corsOrigins: Option.Refine(
    Option.String({
      env: 'CORS_ORIGINS',
      allowed:
        '* or origins with commas between, such as https://app.example.org, without a slash at the end',
      default: '',
      description: 'Web pages that may send tasks from a browser, by their origins; `*` is all. Empty: none.',
    }),
    (text) => parseOrigins(text) !== 'wrong',
  ),
};

/** Access options that are wrong together, or whose files are. */
export const accessOptionPairs: readonly PairCheck<Static<TObject<typeof accessOptions>>>[] = [
  faultOfTlsFiles,
];

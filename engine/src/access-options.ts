import type { PairCheck } from '@sluice/contract';
import { type Static, type TObject, Type } from 'typebox';
import { faultOfTlsFiles } from './tls-files.js';

/** The options that say who may talk to an engine, and how. All of it is off unless it is set. */
export const accessOptions = {
  tlsCertFile: Type.Optional(
    Type.String({
      env: 'TLS_CERT_FILE',
      minLength: 1,
      description:
        'File with the certificate of the intake and its chain, PEM. With it and `TLS_KEY_FILE`, the intake speaks HTTPS only, TLS 1.2 or later. Read at the start.',
    }),
  ),
  tlsKeyFile: Type.Optional(
    Type.String({
      env: 'TLS_KEY_FILE',
      minLength: 1,
      description: 'File with the private key of that certificate, PEM, without a passphrase.',
    }),
  ),
};

/** Access options that are wrong together, or whose files are. */
export const accessOptionPairs: readonly PairCheck<Static<TObject<typeof accessOptions>>>[] = [
  faultOfTlsFiles,
];

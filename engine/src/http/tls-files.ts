import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { describeThrown, type Fault } from '@sluice/contract';

export interface TlsFiles {
  tlsCertFile?: string | undefined;
  tlsKeyFile?: string | undefined;
}

const CERT_ALLOWED = 'allowed: a readable file with a certificate in PEM form, and its chain after it';
const KEY_ALLOWED =
  'allowed: a readable file with a private key (RSA, Ed25519, ECDSA on P-256, P-384 or P-521) in PEM form, without a passphrase';
const CURVES: readonly (string | undefined)[] = ['prime256v1', 'secp384r1', 'secp521r1'];

/**
 * What is wrong with a certificate and its key; nothing when both are right, or neither is given. Looked at before
 * uWebSockets.js gets them, which says no more than that it failed. No message holds anything of what is in the files.
 */
export function faultOfTlsFiles({ tlsCertFile, tlsKeyFile }: TlsFiles): Fault | undefined {
  if (tlsCertFile === undefined && tlsKeyFile === undefined) return undefined;
  if (tlsKeyFile === undefined) return unset('tlsKeyFile', 'a certificate');
  if (tlsCertFile === undefined) return unset('tlsCertFile', 'a private key');
  const faultOf = (path: keyof TlsFiles, why: string): Fault => {
    const [file, allowed] = path === 'tlsCertFile' ? [tlsCertFile, CERT_ALLOWED] : [tlsKeyFile, KEY_ALLOWED];
    return { path, reason: `is ${JSON.stringify(file)}, ${why}; ${allowed}` };
  };

  const pem: Partial<Record<keyof TlsFiles, string>> = {};
  for (const [path, file] of [
    ['tlsCertFile', tlsCertFile],
    ['tlsKeyFile', tlsKeyFile],
  ] as const) {
    try {
      pem[path] = readFileSync(file, 'latin1');
    } catch (error) {
      return faultOf(path, `which cannot be read (${codeOf(error)})`);
    }
  }
  const { tlsCertFile: cert = '', tlsKeyFile: key = '' } = pem;

  const certificate = certificateIn(cert);
  if (certificate === undefined) return faultOf('tlsCertFile', 'which holds no certificate');
  const privateKey = privateKeyIn(key);
  if (privateKey === undefined) return faultOf('tlsKeyFile', 'which holds no private key');
  if (privateKey === 'encrypted') return faultOf('tlsKeyFile', 'whose key is encrypted');
  if (!isServable(privateKey)) return faultOf('tlsKeyFile', 'whose kind of key uWebSockets.js cannot serve');
  if (!certificate.checkPrivateKey(privateKey)) {
    return faultOf('tlsKeyFile', `which is not the key of the certificate in ${JSON.stringify(tlsCertFile)}`);
  }
  try {
    createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  } catch (error) {
    return faultOf('tlsCertFile', `which TLS cannot use (${codeOf(error)})`);
  }
  return undefined;
}

function unset(path: keyof TlsFiles, other: string): Fault {
  return { path, reason: `is not set, but ${other} is given; allowed: both or neither` };
}

function certificateIn(pem: string): X509Certificate | undefined {
  // Node takes DER too, uWebSockets.js does not.
  if (!pem.includes('-----BEGIN ')) return undefined;
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function privateKeyIn(pem: string): KeyObject | 'encrypted' | undefined {
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    return pem.includes('ENCRYPTED') ? 'encrypted' : undefined; // in the first lines of both forms of such a key
  }
}

function isServable({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (asymmetricKeyType === 'ec') return CURVES.includes(asymmetricKeyDetails?.namedCurve);
  return asymmetricKeyType === 'rsa' || asymmetricKeyType === 'ed25519';
}

function codeOf(error: unknown): string {
  return (error as Partial<NodeJS.ErrnoException>).code ?? describeThrown(error).message;
}

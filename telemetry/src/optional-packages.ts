import { createRequire } from 'node:module';
import { SluiceError } from '@sluice/contract';

const { resolve } = createRequire(import.meta.url);

/**
 * Checks that packages are there which are installed only by those who use what needs them.
 *
 * @param purpose what needs them, the beginning of a sentence
 * @throws SluiceError `INVALID_OPTIONS` naming those that are missing
 */
export function checkInstalled(
  purpose: string,
  packages: readonly string[],
  find: (name: string) => unknown = resolve,
): void {
  const missing = packages.filter((name) => {
    try {
      find(name);
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return;
  throw new SluiceError(
    'INVALID_OPTIONS',
    `${purpose}, and for that these packages have to be installed: ${missing.join(', ')}`,
  );
}

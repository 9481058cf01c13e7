import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Version of an installed package. */
export function versionOfPackage(name: string): string {
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

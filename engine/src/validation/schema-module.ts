import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SluiceError, type TaskType } from '@sluice/contract';
import { requireTaskTypes } from './task-types.js';

/**
 * Imports a schema module: its default export is the array of the task types that the engine takes in.
 *
 * @param specifier path of a file, relative to the working directory, or a URL
 * @throws SluiceError `INVALID_OPTIONS` when there is no such module, it fails to load, or its default export
 * is not an array of task types with names of their own
 */
export async function loadTaskTypes(specifier: string): Promise<readonly TaskType[]> {
  const url = urlOf(specifier);
  if (url.protocol === 'file:' && !existsSync(url)) {
    throw invalid(specifier, `no such file: ${fileURLToPath(url)}`);
  }
  let module: { default?: unknown };
  try {
    module = await import(url.href);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalid(specifier, `it fails to load: ${reason}`, error);
  }
  if (module.default === undefined) {
    throw invalid(specifier, 'it has no default export; allowed: an array of task types');
  }
  return requireTaskTypes(module.default, `SCHEMA_MODULE ${specifier}`);
}

/** A scheme of one letter is the drive of a Windows path. */
function urlOf(specifier: string): URL {
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(specifier) && URL.canParse(specifier);
  return isUrl ? new URL(specifier) : pathToFileURL(resolve(specifier));
}

function invalid(specifier: string, reason: string, cause?: unknown): SluiceError {
  const fault = { path: 'SCHEMA_MODULE', reason: `is ${specifier}: ${reason}` };
  return new SluiceError('INVALID_OPTIONS', `${fault.path} ${fault.reason}`, { cause, details: [fault] });
}

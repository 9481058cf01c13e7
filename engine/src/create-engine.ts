import { type Engine, engineOf } from './engine.js';
import type { EngineOptions } from './options.js';
import { compileSchema } from './validation/data-schema.js';

/**
 * An engine: takes tasks in over HTTP, validates them, appends them to their streams, answers 202.
 *
 * @throws SluiceError `INVALID_OPTIONS`, one line per fault
 */
export function createEngine(given: EngineOptions = {}): Engine {
  return engineOf(given, compileSchema);
}

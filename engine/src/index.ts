export { createEngine, type Engine } from './engine.js';
export type { Health } from './health.js';
export { type EngineOptions, engineOptions, engineProgramOptions } from './options.js';

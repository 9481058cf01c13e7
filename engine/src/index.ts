export { createEngine, type Engine } from './engine.js';
export type { Health } from './http/health.js';
export { type EngineOptions, engineOptions, engineProgramOptions } from './options.js';

import type { Fault } from '@sluice/contract';
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/schema';
import { findFaults } from './faults.js';
import { narrow } from './narrow.js';
import type { DataSchema } from './validator.js';

/** Compiles the schema of a task type by TypeBox. @throws Error when it cannot be compiled */
export function compileSchema(schema: TSchema): DataSchema {
  return new CompiledSchema(schema, Compile(schema));
}

class CompiledSchema implements DataSchema {
  constructor(
    private readonly schema: TSchema,
    private readonly compiled: Validator,
  ) {}

  check(data: unknown): boolean {
    return this.compiled.Check(data);
  }

  faults(data: unknown): Fault[] {
    try {
      const part = narrow(this.schema, data, '/data');
      const faults = part === undefined ? [] : findFaults(part.schema, part.value, part.path);
      if (faults.length > 0) return faults;
    } catch {
      // TypeBox looks for errors recursively, ten calls a level, and a deep body can exhaust the stack; the
      // message of a refinement can throw. The body is no better for it: the answer stays 422.
    }
    return [{ path: '/data', reason: 'does not match the schema; it is too large or too deep to say where' }];
  }
}

import type { TSchema } from 'typebox';
import { Compile } from 'typebox/schema';

// A wrong list of a hundred items would give a hundred faults; the first few tell what is wrong.
const MOST_FAULTS = 5;

/** Makes the check of data against a schema: what is wrong with it, nothing when it fits. */
export function schemaCheck(schema: TSchema): (data: unknown) => string | undefined {
  const validator = Compile(schema);
  return (data) => {
    if (validator.Check(data)) return undefined;
    const faults = validator.Errors(data)[1].slice(0, MOST_FAULTS);
    return faults
      .map((fault) => `${fault.instancePath === '' ? '/' : fault.instancePath} ${fault.message}`)
      .join('; ');
  };
}

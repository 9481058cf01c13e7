import type { Fault } from '@sluice/contract';
import type { TSchema } from 'typebox';
import type { TLocalizedValidationError } from 'typebox/error';
import { Errors } from 'typebox/schema';
import { Settings } from 'typebox/system';
import { jsonPointer, shortened } from '../body/json-pointer.js';

/** Faults told of one body. */
export const MAX_FAULTS = 20;

/** TypeBox errors asked for: several can come down to one fault. */
const MAX_ERRORS = 100;

/**
 * What is wrong with a value that does not match its schema: where, and what the schema asks for there, in
 * plain words. At most `MAX_FAULTS`. Tells names of properties, which the schema or the client chose, but no value.
 *
 * @param path JSON Pointer to the value within the body
 */
export function findFaults(schema: TSchema, value: unknown, path: string): Fault[] {
  return told(errorsOf(schema, value), schema)
    .slice(0, MAX_FAULTS)
    .map((told) => ({ path: shortened(path + told.path), reason: told.reason }));
}

function errorsOf(schema: TSchema, value: unknown): TLocalizedValidationError[] {
  // The limit is a setting of the whole process, 8 by default: it is put back before anyone else can run.
  const { maxErrors } = Settings.Get();
  Settings.Set({ maxErrors: MAX_ERRORS });
  try {
    return Errors(schema, value)[1];
  } finally {
    Settings.Set({ maxErrors });
  }
}

/** A fault with what is needed to merge it with its neighbours. */
interface Told extends Fault {
  schemaPath: string;
  /** What is asked for at the path itself, when that is what was missed: 'a string', '"open"'. */
  wanted?: string[];
}

/**
 * TypeBox tells the errors of the parts of a union, or of the extra properties of an object, before the error
 * of the whole: each error of a whole takes those of its parts off the end of the list and replaces them.
 */
function told(errors: readonly TLocalizedValidationError[], schema: TSchema): Told[] {
  const list: Told[] = [];
  for (const error of errors) {
    const { schemaPath, instancePath: path } = error;
    switch (error.keyword) {
      case 'anyOf':
      case 'oneOf':
        list.push(...toldOfUnion(partsOf(list, `${schemaPath}/${error.keyword}/`), schemaPath, path));
        break;
      case 'required':
        for (const property of error.params.requiredProperties) {
          list.push({ schemaPath, path: path + jsonPointer([property]), reason: 'is required' });
        }
        break;
      case 'boolean':
        list.push({ schemaPath, path, reason: notAllowed(schema, schemaPath) });
        break;
      case 'additionalProperties':
      case 'unevaluatedProperties':
        // Each of these properties has been told of already, with its own path.
        if (!list.some((part) => part.schemaPath.startsWith(`${schemaPath}/${error.keyword}`))) {
          list.push({ schemaPath, path, reason: 'has properties that are not allowed' });
        }
        break;
      case 'type':
        list.push(asking(error, [error.params.type].flat().map(typeInWords)));
        break;
      case 'const':
        list.push(asking(error, [shown(error.params.allowedValue)]));
        break;
      case 'enum':
        list.push(asking(error, error.params.allowedValues.map(shown)));
        break;
      case 'propertyNames':
        list.push({ schemaPath, path, reason: 'has properties whose names are not allowed' });
        break;
      default:
        list.push({ schemaPath, path, reason: error.message });
    }
  }
  return withoutRepeats(list);
}

function partsOf(list: Told[], schemaPath: string): Told[] {
  let first = list.length;
  while (first > 0 && list[first - 1]?.schemaPath.startsWith(schemaPath)) first--;
  return list.splice(first);
}

/**
 * The faults of a union: what may stand there, if none of its alternatives fits at all; the faults of the one
 * alternative that was meant, if there is only one such.
 */
function toldOfUnion(parts: readonly Told[], schemaPath: string, path: string): Told[] {
  const alternatives = new Map<string, Told[]>();
  for (const part of parts) {
    const alternative = part.schemaPath.slice(schemaPath.length).split('/', 3).join('/');
    alternatives.set(alternative, [...(alternatives.get(alternative) ?? []), part]);
  }
  const groups = [...alternatives.values()].map(withoutRepeats);
  const meant = groups.filter((group) => !group.some((part) => isOtherKind(part, path)));
  if (meant.length === 1) return meant[0] ?? [];

  const wanted = groups.flatMap((group) => group.find((part) => part.path === path)?.wanted ?? []);
  if (wanted.length > 0 && groups.every((group) => group.some((part) => part.path === path && part.wanted))) {
    return [{ schemaPath, path, reason: mustBe(wanted), wanted }];
  }
  return [{ schemaPath, path, reason: `has none of the ${groups.length} forms that are allowed here` }];
}

/** Whether a fault shows that another alternative was meant: another type, or another literal in a property. */
function isOtherKind(part: Told, path: string): boolean {
  if (part.wanted === undefined) return false;
  if (part.path === path) return true;
  const isOwnProperty = part.path.lastIndexOf('/') === path.length;
  return isOwnProperty && part.wanted.every((wanted) => !TYPES_IN_WORDS.has(wanted));
}

/** Of several faults at one place that say what it must be, only the last, which asks for most, is kept. */
function withoutRepeats(list: readonly Told[]): Told[] {
  return list.filter(
    (one, i) =>
      one.wanted === undefined ||
      !list.some((other, j) => j > i && other.wanted !== undefined && other.path === one.path),
  );
}

function asking(error: TLocalizedValidationError, wanted: string[]): Told {
  return { schemaPath: error.schemaPath, path: error.instancePath, reason: mustBe(wanted), wanted };
}

const MAX_WANTED = 12;

function mustBe(wanted: readonly string[]): string {
  const some = [...new Set(wanted)];
  if (some.length > MAX_WANTED) return `must be one of ${some.slice(0, MAX_WANTED).join(', ')}, …`;
  const last = some.pop();
  return some.length === 0 ? `must be ${last}` : `must be ${some.join(', ')} or ${last}`;
}

const WORDS: Readonly<Record<string, string>> = {
  array: 'an array',
  bigint: 'a whole number beyond the safe range',
  boolean: 'true or false',
  integer: 'a whole number',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'text',
};
const TYPES_IN_WORDS = new Set(Object.values(WORDS));

function typeInWords(type: string): string {
  return WORDS[type] ?? type;
}

/** A literal of a schema. */
function shown(literal: unknown): string {
  return typeof literal === 'bigint' ? String(literal) : JSON.stringify(literal);
}

function notAllowed(schema: TSchema, schemaPath: string): string {
  const owner = /^#(.*)\/additionalProperties$/.exec(schemaPath)?.[1];
  const properties = owner === undefined ? undefined : at(schema, `${owner}/properties`);
  if (typeof properties !== 'object' || properties === null) return 'is not allowed';
  const names = Object.keys(properties);
  const some = names.slice(0, MAX_WANTED).join(', ');
  return `is not allowed; allowed: ${names.length > MAX_WANTED ? `${some}, …` : some}`;
}

/** What a JSON Pointer leads to within a schema. */
function at(schema: unknown, pointer: string): unknown {
  let found = schema;
  for (const token of pointer.split('/').slice(1)) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Reflect.get(found, token.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return found;
}

import { randomUUID } from 'node:crypto';
import { usageError } from '../command.js';

/**
 * Changes JSON text, or only its indentation, and leaves every number as it was written: parsing would round
 * 9007199254740993, and a payload is to survive byte for byte what nobody asked to change.
 *
 * @throws SyntaxError when the text, or a new value, is no JSON
 */
export function editJson(
  text: string,
  edit: (document: unknown, parse: (value: string) => unknown) => unknown = (document) => document,
  indent?: number,
): string {
  // While it is an object, each number is a string that nothing else in it can be equal to.
  const mark = randomUUID();
  const parse = (json: string): unknown => {
    JSON.parse(json); // the pattern below takes text apart that is JSON; what is none is said here
    return JSON.parse(
      json.replace(STRING_OR_NUMBER, (token) => (token[0] === '"' ? token : `"${mark}${token}"`)),
    );
  };
  const edited = JSON.stringify(edit(parse(text), parse), undefined, indent);
  return edited.replaceAll(new RegExp(`"${mark}([^"]*)"`, 'g'), '$1');
}

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** What `--set data.user.id=7` says. */
export interface Assignment {
  /** As it was typed. */
  readonly path: string;
  readonly keys: readonly string[];
  /** JSON. */
  readonly value: string;
}

const FORBIDDEN_KEYS: readonly string[] = ['__proto__', 'constructor', 'prototype'];

/**
 * Reads `path=value`. The path is keys joined by dots, or a JSON Pointer (RFC 6901) when keys have dots themselves; the
 * value is JSON, and text when it is not.
 *
 * @throws SluiceError `INVALID_OPTIONS`
 */
export function readAssignment(text: string): Assignment {
  const equals = text.indexOf('=');
  if (equals < 1) throw usageError(`--set is "${text}"; needed: path=value, such as data.user.id=7`);
  const path = text.slice(0, equals);
  const keys = path.startsWith('/')
    ? path
        .slice(1)
        .split('/')
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    : path.split('.');
  const [root] = keys;
  if (root !== 'data' && root !== 'metadata') {
    throw usageError(`--set ${path}: a payload has data and metadata; the path must start with one of them`);
  }
  const forbidden = keys.find((key) => FORBIDDEN_KEYS.includes(key));
  if (forbidden !== undefined) throw usageError(`--set ${path}: ${forbidden} is not allowed as a key`);
  return { path, keys, value: jsonOf(text.slice(equals + 1)) };
}

function jsonOf(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

/**
 * Puts a value in its place. The object it goes into must be there: a path that leads nowhere is mistyped.
 *
 * @throws SluiceError `INVALID_OPTIONS` that names what is there
 */
export function assign(document: unknown, { path, keys }: Assignment, value: unknown): void {
  let place = document;
  for (const key of keys.slice(0, -1)) {
    if (!isObject(place) || !Object.hasOwn(place, key)) throw nowhere(path, key, place);
    place = place[key];
  }
  const last = keys.at(-1) ?? '';
  if (!isObject(place)) throw nowhere(path, last, place);
  if (Array.isArray(place) && !/^\d+$/.test(last)) throw nowhere(path, last, place);
  if (Array.isArray(place) && Number(last) > place.length) throw nowhere(path, last, place);
  place[last] = value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function nowhere(path: string, key: string, place: unknown) {
  const there = isObject(place)
    ? `there is: ${Object.keys(place).join(', ') || 'nothing'}`
    : 'that is no object';
  return usageError(`--set ${path}: there is no place "${key}" to put it; ${there}`);
}

/** Where a text stops being JSON, in UTF-16 code units from its start, and what JSON allows there. */
export interface JsonFault {
  position: number;
  expected: string;
}

/**
 * Finds where a text stops being JSON (RFC 8259); nothing when it is JSON.
 *
 * What `JSON.parse` says of a bad text quotes the text, which may hold personal data, gives no position for
 * half of the faults, and differs between versions of Node. This runs only on texts it has refused.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  /** What ends each array and object that is open. */
  const open: ('}' | ']')[] = [];
  let state: 'value' | 'first item' | 'first key' | 'key' | 'colon' | 'after value' = 'value';
  let at = skipWhitespace(text, 0);
  for (;;) {
    const char = text[at];
    const closer = open.at(-1);
    switch (state) {
      case 'first item':
      case 'value':
        if (char === '{' || char === '[') {
          open.push(char === '{' ? '}' : ']');
          state = char === '{' ? 'first key' : 'first item';
          at++;
        } else if (char === ']' && state === 'first item') {
          open.pop();
          state = 'after value';
          at++;
        } else {
          const end = scalarEnd(text, at);
          if (typeof end !== 'number') return end;
          state = 'after value';
          at = end;
        }
        break;
      case 'first key':
      case 'key':
        if (char === '"') {
          const end = stringEnd(text, at);
          if (typeof end !== 'number') return end;
          state = 'colon';
          at = end;
        } else if (char === '}' && state === 'first key') {
          open.pop();
          state = 'after value';
          at++;
        } else {
          const orEnd = state === 'first key' ? " or '}'" : '';
          return { position: at, expected: `a key in double quotes${orEnd}` };
        }
        break;
      case 'colon':
        if (char !== ':') return { position: at, expected: "':' after a key" };
        state = 'value';
        at++;
        break;
      case 'after value':
        if (closer === undefined) {
          return at === text.length ? undefined : { position: at, expected: 'nothing after the value' };
        }
        if (char === closer) open.pop();
        else if (char === ',') state = closer === '}' ? 'key' : 'value';
        else return { position: at, expected: `',' or '${closer}'` };
        at++;
        break;
    }
    at = skipWhitespace(text, at);
  }
}

/** The fault as the end of a sentence: what was expected, and where. */
export function describeJsonFault(text: string, fault: JsonFault): string {
  if (text.charCodeAt(0) === 0xfeff) return 'it starts with a byte order mark, which JSON does not allow';
  if (fault.position >= text.length) return `it ends where JSON needs ${fault.expected}`;
  const before = text.slice(0, fault.position);
  const line = before.split('\n').length;
  const column = fault.position - before.lastIndexOf('\n');
  return `expected ${fault.expected} at line ${line}, column ${column} (position ${fault.position})`;
}

/** Where a string, number or literal ends, or its fault. */
function scalarEnd(text: string, at: number): number | JsonFault {
  switch (text[at]) {
    case '"':
      return stringEnd(text, at);
    case 't':
      return literalEnd(text, at, 'true');
    case 'f':
      return literalEnd(text, at, 'false');
    case 'n':
      return literalEnd(text, at, 'null');
    default:
      return numberEnd(text, at);
  }
}

function literalEnd(text: string, at: number, literal: string): number | JsonFault {
  return text.startsWith(literal, at) ? at + literal.length : { position: at, expected: 'a value' };
}

function numberEnd(text: string, at: number): number | JsonFault {
  let end = text[at] === '-' ? at + 1 : at;
  const whole = text[end] === '0' ? end + 1 : digitsEnd(text, end);
  if (whole === end) return { position: end, expected: end === at ? 'a value' : 'a digit' };
  end = whole;
  if (text[end] === '.') {
    const fraction = digitsEnd(text, end + 1);
    if (fraction === end + 1) return { position: fraction, expected: 'a digit' };
    end = fraction;
  }
  if (text[end] === 'e' || text[end] === 'E') {
    const sign = text[end + 1];
    const start = sign === '+' || sign === '-' ? end + 2 : end + 1;
    end = digitsEnd(text, start);
    if (end === start) return { position: end, expected: 'a digit' };
  }
  return end;
}

function digitsEnd(text: string, at: number): number {
  let end = at;
  while (text.charCodeAt(end) >= 0x30 && text.charCodeAt(end) <= 0x39) end++;
  return end;
}

const ESCAPE = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;

/** Where the string that starts at an offset ends, or its fault. */
function stringEnd(text: string, start: number): number | JsonFault {
  let at = start + 1;
  while (at < text.length) {
    const char = text[at] as string; // at < length
    if (char === '"') return at + 1;
    if (char < ' ') return { position: at, expected: 'control characters to be written as escape sequences' };
    at++;
    if (char === '\\') {
      ESCAPE.lastIndex = at;
      if (!ESCAPE.test(text)) {
        return at === text.length
          ? { position: at, expected: 'the end of a string' }
          : { position: at - 1, expected: 'an escape sequence of JSON' };
      }
      at = ESCAPE.lastIndex;
    }
  }
  return { position: at, expected: 'the end of a string' };
}

function skipWhitespace(text: string, start: number): number {
  let at = start;
  for (;;) {
    const char = text[at];
    if (char !== ' ' && char !== '\n' && char !== '\r' && char !== '\t') return at;
    at++;
  }
}

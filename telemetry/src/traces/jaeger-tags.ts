/** What stands for no id. */
export const NO_ID = Buffer.alloc(8);

// Types of thrift's binary protocol.
const BOOL = 2;
const DOUBLE = 4;
export const I32 = 8;
export const I64 = 10;
export const STRING = 11;
export const STRUCT = 12;
export const LIST = 15;
export const STOP = 0;

// How the value of a tag is to be read (enum TagType of jaeger.thrift).
const TEXT_TAG = 0;
const NUMBER_TAG = 1;
const BOOLEAN_TAG = 2;

/** A tag but for its value. */
export interface TagAround {
  readonly before: Buffer;
  readonly after: Buffer;
}

/** After the text of a tag come the values of other types. */
const AFTER_TEXT = 11 + 4 + 11 + 3 + 4 + 8 + 1;
/** After its number too. */
const AFTER_NUMBER = AFTER_TEXT - 11;

export function fieldHead(type: number, id: number): Buffer {
  return Buffer.from([type, 0, id]);
}

export function listHead(count: number): Buffer {
  return Buffer.concat([Buffer.from([STRUCT]), int32(count)]);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int32(bytes.length), bytes]);
}

/** A tag as jaeger-client writes it: with a value of each type, of which its own says which one counts. */
function tag(
  key: string,
  type: number,
  textValue: string,
  numberValue: number,
  booleanValue: boolean,
): Buffer {
  const double = Buffer.alloc(8);
  double.writeDoubleBE(numberValue);
  return Buffer.concat([
    fieldHead(STRING, 1),
    text(key),
    fieldHead(I32, 2),
    int32(type),
    fieldHead(STRING, 3),
    text(textValue),
    fieldHead(DOUBLE, 4),
    double,
    fieldHead(BOOL, 5),
    Buffer.from([booleanValue ? 1 : 0]),
    fieldHead(I64, 6),
    NO_ID,
    fieldHead(STRING, 7),
    int32(NO_ID.length),
    NO_ID,
    Buffer.from([STOP]),
  ]);
}

export function textTag([key, value]: readonly [string, string]): Buffer {
  return tag(key, TEXT_TAG, value, 0, false);
}

export function trueTag(key: string): Buffer {
  return tag(key, BOOLEAN_TAG, '', 0, true);
}

export function textTagAround(key: string, length: number): TagAround {
  const whole = textTag([key, '0'.repeat(length)]);
  return { before: whole.subarray(0, -AFTER_TEXT - length), after: whole.subarray(-AFTER_TEXT) };
}

/** The same of a text of any length, which comes first. */
export function anyTextTagAround(key: string): TagAround {
  const { before, after } = textTagAround(key, 0);
  return { before: before.subarray(0, -4), after };
}

export function numberTagAround(key: string): TagAround {
  const whole = tag(key, NUMBER_TAG, '', 0, false);
  return { before: whole.subarray(0, -AFTER_NUMBER - 8), after: whole.subarray(-AFTER_NUMBER) };
}

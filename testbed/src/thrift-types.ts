// Types of the values of thrift's binary protocol, as they stand before each.
// See https://github.com/apache/thrift/blob/master/doc/specs/thrift-binary-protocol.md
export const STOP = 0;
export const BOOL = 2;
export const BYTE = 3;
export const DOUBLE = 4;
export const I16 = 6;
export const I32 = 8;
export const I64 = 10;
export const STRING = 11;
export const STRUCT = 12;
export const LIST = 15;

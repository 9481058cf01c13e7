import {
  ATTRIBUTE,
  attributeKey,
  field,
  LOCAL,
  nameAndKind,
  OtlpMessage,
  REMOTE,
  textAttribute,
} from './otlp-message.js';
import { ERROR_TYPE, TASK_ID } from './request-span.js';
import {
  ATTEMPT,
  DEAD_REASON,
  ERROR_TEXT,
  EXCEPTION,
  EXCEPTION_TYPE,
  OUTCOME,
  OUTCOMES,
  REASON_TEXT,
  TASK_ID_TEXT,
  TASK_SPAN_NAME,
  TASK_TYPE,
  TASK_TYPE_TEXT,
  type TaskSpan,
  type TaskSpanEncoder,
} from './task-span.js';

const EVENT = 0x5a; // Span.events
const EVENT_ATTRIBUTE = 0x1a; // Event.attributes

/** Kind, as of the protocol: one more than in the API. */
const CONSUMER = 5;

/** Bytes of a span are fewer. */
const MOST_BYTES = 2048;

/** Writes the span of a task as OTLP in protobuf: what the exporter of OpenTelemetry makes of the same span, byte for byte. */
export class OtlpTaskEncoder extends OtlpMessage implements TaskSpanEncoder {
  task(span: TaskSpan): void {
    const { out } = this;
    const start = this.begin(MOST_BYTES);
    this.identify(span, span.hasParent ? span.parentId : undefined);
    out.copy(NAME_AND_KIND);
    this.times(span);
    this.text(ATTRIBUTE, TASK_ID_KEY, span, TASK_ID_TEXT);
    this.text(ATTRIBUTE, TASK_TYPE_KEY, span, TASK_TYPE_TEXT);
    this.count(ATTEMPT_KEY, span.attempt);
    out.copy(OUTCOME_ATTRIBUTES[span.outcome] ?? NOTHING);
    if (span.textLength[REASON_TEXT] !== 0) this.text(ATTRIBUTE, DEAD_REASON_KEY, span, REASON_TEXT);
    const failed = span.textLength[ERROR_TEXT] !== 0;
    if (failed) this.text(ATTRIBUTE, ERROR_TYPE_KEY, span, ERROR_TEXT);
    out.copy(NO_DROPPED_ATTRIBUTES);
    if (failed) this.exception(span);
    out.copy(NO_DROPPED_EVENTS);
    this.end(start, 0, failed, span.hasParent ? REMOTE : LOCAL);
  }

  /** An attribute with a text of a span. Texts and keys have so few bytes that each length fits into one. */
  private text(tag: number, key: Buffer, span: TaskSpan, text: number): void {
    const { out } = this;
    const length = span.textLength[text] ?? 0;
    out.byte(tag);
    out.byte(key.length + length + 4);
    out.copy(key);
    out.byte(0x12);
    out.byte(length + 2);
    out.byte(0x0a);
    out.byte(length);
    out.copy(span.bytes, span.textAt[text], length);
  }

  /** The error that ended the run, as an event at its end. */
  private exception(span: TaskSpan): void {
    const { out } = this;
    const { at } = out;
    out.at += 2;
    out.byte(0x09);
    out.microseconds(span.end, 1000);
    out.copy(EXCEPTION_NAME);
    this.text(EVENT_ATTRIBUTE, EXCEPTION_TYPE_KEY, span, ERROR_TEXT);
    out.byte(0x20);
    out.byte(0);
    out.bytes[at] = EVENT;
    out.bytes[at + 1] = out.at - at - 2; // below 128: a name of an error has at most 64 bytes
  }
}

const NOTHING = Buffer.alloc(0);
const NAME_AND_KIND = nameAndKind(TASK_SPAN_NAME, CONSUMER);
const TASK_ID_KEY = attributeKey(TASK_ID);
const TASK_TYPE_KEY = attributeKey(TASK_TYPE);
const ATTEMPT_KEY = attributeKey(ATTEMPT);
const DEAD_REASON_KEY = attributeKey(DEAD_REASON);
const ERROR_TYPE_KEY = attributeKey(ERROR_TYPE);
const EXCEPTION_TYPE_KEY = attributeKey(EXCEPTION_TYPE);
const OUTCOME_ATTRIBUTES = OUTCOMES.map((outcome) => field(ATTRIBUTE, textAttribute(OUTCOME, outcome)));
const NO_DROPPED_ATTRIBUTES = Buffer.from([0x50, 0]);
const NO_DROPPED_EVENTS = Buffer.from([0x60, 0]);
const EXCEPTION_NAME = field(0x12, Buffer.from(EXCEPTION));

import { JaegerMessage, spanName } from './jaeger-message.js';
import {
  anyTextTagAround,
  fieldHead,
  I64,
  LIST,
  listHead,
  numberTagAround,
  STOP,
  type TagAround,
  textTag,
} from './jaeger-tags.js';
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

/** Writes the span of a task for Jaeger in thrift: what `@opentelemetry/exporter-jaeger` makes of it, byte for byte. */
export class JaegerTaskEncoder extends JaegerMessage implements TaskSpanEncoder {
  task(span: TaskSpan): void {
    const { out } = this;
    this.begin(span, span.hasParent ? span.parentId : undefined, NAME, NOTHING, 0);
    this.times(span);
    const tags = this.beginTags();
    let count = 4;
    this.text(TASK_ID_TAG, span, TASK_ID_TEXT);
    this.text(TASK_TYPE_TAG, span, TASK_TYPE_TEXT);
    this.numberTag(ATTEMPT_TAG, span.attempt);
    out.copy(OUTCOME_TAGS[span.outcome] ?? NOTHING);
    if (span.textLength[REASON_TEXT] !== 0) {
      this.text(DEAD_REASON_TAG, span, REASON_TEXT);
      count++;
    }
    const failed = span.textLength[ERROR_TEXT] !== 0;
    if (failed) {
      this.text(ERROR_TYPE_TAG, span, ERROR_TEXT);
      count++;
    }
    this.end(tags, count, failed, CONSUMER_TAG, 0, failed ? 1 : 0);
    if (failed) this.exception(span);
  }

  private text({ before, after }: TagAround, span: TaskSpan, text: number): void {
    const { out } = this;
    const length = span.textLength[text] ?? 0;
    out.copy(before);
    out.int32High(length);
    out.copy(span.bytes, span.textAt[text], length);
    out.copy(after);
  }

  /** The error that ended the run, as a log at its end, which ends the span. */
  private exception(span: TaskSpan): void {
    const { out } = this;
    out.copy(LOG_TIME);
    out.int64High(span.end);
    out.copy(LOG_FIELDS);
    this.text(EXCEPTION_TYPE_TAG, span, ERROR_TEXT);
    out.byte(STOP);
    out.byte(STOP);
  }
}

const NOTHING = Buffer.alloc(0);
const NAME = spanName(TASK_SPAN_NAME);
const CONSUMER_TAG = textTag(['span.kind', 'consumer']);
const OUTCOME_TAGS = OUTCOMES.map((outcome) => textTag([OUTCOME, outcome]));
const TASK_ID_TAG = anyTextTagAround(TASK_ID);
const TASK_TYPE_TAG = anyTextTagAround(TASK_TYPE);
const ATTEMPT_TAG = numberTagAround(ATTEMPT);
const DEAD_REASON_TAG = anyTextTagAround(DEAD_REASON);
const ERROR_TYPE_TAG = anyTextTagAround(ERROR_TYPE);
const EXCEPTION_TYPE_TAG = anyTextTagAround(EXCEPTION_TYPE);
const LOG_TIME = fieldHead(I64, 1);
/** Two fields: the name of the event, and the type of the exception. */
const LOG_FIELDS = Buffer.concat([fieldHead(LIST, 2), listHead(2), textTag(['event', EXCEPTION])]);

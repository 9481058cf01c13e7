/** A span as a receiver got it, whichever protocol it came by. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** The empty string for the first span of a trace. */
  readonly parentId: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** Unix microseconds. */
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** `<trace id>-<span id>` of each. */
  readonly links: readonly string[];
  readonly events: readonly SpanEvent[];
  /** Attributes of its resource. */
  readonly resource: Readonly<Record<string, AttributeValue>>;
}

export type AttributeValue = string | number | boolean | undefined;

/** Something that happened during a span. */
export interface SpanEvent {
  readonly name: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

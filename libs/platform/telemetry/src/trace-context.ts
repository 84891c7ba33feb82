import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

const tracer = () => trace.getTracer("fairlead");

let kept = true;

/** Whether somebody gets the spans that end. Where nobody does, what would be made for each of thousands of streams need not be. */
export function spansAreKept(): boolean {
  return kept;
}

/** To be called when the SDK starts. */
export function keepSpans(wanted: boolean): void {
  kept = wanted;
}

/** The W3C traceparent of the active span, to be carried in a message or a row; undefined outside of a span. */
export function currentTraceparent(): string | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier["traceparent"];
}

function contextOf(traceparent: string | undefined): Context {
  if (traceparent === undefined || traceparent === "") return context.active();
  return propagation.extract(context.active(), { traceparent });
}

/** Runs `work` as part of the trace that `traceparent` names. */
export function withTraceparent<T>(traceparent: string | undefined, work: () => T): T {
  return context.with(contextOf(traceparent), work);
}

/** Runs `work` outside of any trace: loops that serve many callers must not belong to the one that woke them. */
export function detached<T>(work: () => T): T {
  return context.with(ROOT_CONTEXT, work);
}

/** Starts a span that outlives the call, such as a push that ends with its ACK. The caller ends it. */
export function startSpan(name: string, attributes: Attributes = {}, traceparent?: string): Span {
  return tracer().startSpan(name, { attributes }, contextOf(traceparent));
}

/** Runs `work` in a new span `<component>.<verb>`; a failure is recorded on it and passed on. */
export async function inSpan<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
  traceparent?: string,
): Promise<T> {
  return await tracer().startActiveSpan(name, { attributes }, contextOf(traceparent), async (span) => {
    try {
      return await work(span);
    } catch (caught) {
      const error = caught instanceof Error ? caught : new Error(String(caught));
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      throw caught;
    } finally {
      span.end();
    }
  });
}

import { trace } from "@opentelemetry/api";
import { type DestinationStream, pino, type Logger as PinoLogger } from "pino";
import { redactLine } from "./redact-line.ts";

export type Logger = PinoLogger;

export interface LoggerOptions {
  /** The service, as `service` in every line. */
  readonly service: string;
  /** @default "info" */
  readonly level?: string;
  /** Where lines go. @default standard output */
  readonly destination?: DestinationStream;
}

/**
 * JSON lines with a constant `msg` and the facts as fields. A line written inside a span carries its `trace_id` and `span_id`.
 * Credentials in URLs and the usual secret fields, at any depth, never reach the output.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level ?? "info",
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: redactLine },
      mixin() {
        const span = trace.getActiveSpan()?.spanContext();
        return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
      },
    },
    options.destination ?? pino.destination({ sync: false }),
  );
}

import { FairleadError } from "@fairlead/errors";
import { http1Errors } from "./errors.ts";

/** Response code details of a refused message, by Envoy's names. */
export type Http1ErrorDetails =
  | "http1.codec_error"
  | "http1.headers_too_large"
  | "http1.too_many_headers"
  | "http1.invalid_transfer_encoding"
  | "http1.expectation_failed"
  | "low_version"
  | "missing_host_header"
  | "upgrade_failed";

/** A message that is refused. The connection cannot go on after it: where the next message starts is not known. */
export class Http1Error extends FairleadError {
  /** What a server answers with before it closes; a proxy answers 502 when it was a response. */
  readonly status: number;
  readonly details: Http1ErrorDetails;

  constructor(message: string, options: { readonly status?: number; readonly details?: Http1ErrorDetails } = {}) {
    const status = options.status ?? 400;
    const code: keyof typeof http1Errors = status === 431 ? "FL_HTTP1_TOO_LARGE" : "FL_HTTP1_MALFORMED";
    super(code, message);
    this.status = status;
    this.details = options.details ?? "http1.codec_error";
  }
}

import { FairleadError } from "@fairlead/errors";
import type { http2Errors } from "./errors.ts";
import { ERROR_CODE } from "./frame-types.ts";

/** A connection error (RFC 9113 §5.4.1): the peer gets a GOAWAY with the code, and the connection ends. */
export class Http2Error extends FairleadError {
  /** RFC 9113 §7. */
  readonly errorCode: number;
  /** Response code details, by Envoy's names. */
  readonly details: string;

  /** It is about streams that the peer resets (CVE-2023-44487). */
  readonly resets: boolean;

  constructor(errorCode: number, message: string, resets = false) {
    const calm = errorCode === ERROR_CODE.enhanceYourCalm;
    const code: keyof typeof http2Errors = calm ? "FL_HTTP2_FLOOD" : "FL_HTTP2_MALFORMED";
    super(code, message);
    this.errorCode = errorCode;
    this.resets = resets;
    this.details = calm ? "http2.flood" : "http2.codec_error";
  }
}

export function protocolError(message: string): Http2Error {
  return new Http2Error(ERROR_CODE.protocolError, message);
}

export function frameSizeError(message: string): Http2Error {
  return new Http2Error(ERROR_CODE.frameSizeError, message);
}

import { FairleadError } from "@fairlead/errors";
import type { hpackErrors } from "./errors.ts";

/** A block that cannot be read. For HTTP/2 that is the connection error COMPRESSION_ERROR (RFC 9113 §4.3). */
export class HpackError extends FairleadError {
  constructor(message: string) {
    const code: keyof typeof hpackErrors = "FL_HPACK_MALFORMED";
    super(code, message);
  }
}

import type { FairleadError } from "@fairlead/errors";
import { busError } from "./bus-error.ts";

/** Largest message or value unless the adapter's server takes less. */
export const defaultMaxBytes = 8 * 1024 * 1024;

/** nats-server takes 4096 bytes for a whole protocol line; a key stands in it behind `$KV.<bucket>.`. */
const maxKeyLength = 1024;
const maxSubjectLength = 255;

function invalid(what: string, given: string, rule: string): FairleadError {
  const shown = given.length > 100 ? `${given.slice(0, 100)}…` : given;
  return busError("FL_BUS_NAME_INVALID", `the ${what} ${JSON.stringify(shown)} is not valid: ${rule}`);
}

/** @throws FairleadError FL_BUS_NAME_INVALID */
export function checkSubject(subject: string): void {
  if (subject.length > maxSubjectLength || !/^fairlead\.v1(\.[A-Za-z0-9_-]+)+$/.test(subject)) {
    throw invalid(
      "subject",
      subject,
      `fairlead.v1. and then words of A-Z a-z 0-9 _ - with dots between them, at most ${maxSubjectLength} characters`,
    );
  }
}

/** @throws FairleadError FL_BUS_NAME_INVALID */
export function checkBucket(bucket: string): void {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(bucket)) throw invalid("bucket", bucket, "1 to 64 of A-Z a-z 0-9 _ -");
}

/** @throws FairleadError FL_BUS_NAME_INVALID */
export function checkKey(key: string): void {
  if (key.length > maxKeyLength || !/^[A-Za-z0-9_=/-]+(\.[A-Za-z0-9_=/-]+)*$/.test(key)) {
    throw invalid(
      "key",
      key,
      `words of A-Z a-z 0-9 _ = / - with single dots between them, at most ${maxKeyLength} characters`,
    );
  }
}

/** @throws FairleadError FL_BUS_MESSAGE_TOO_LARGE */
export function checkSize(what: string, data: Uint8Array, maxBytes: number): void {
  if (data.byteLength <= maxBytes) return;
  throw busError(
    "FL_BUS_MESSAGE_TOO_LARGE",
    `${what} is ${data.byteLength} bytes, and the bus takes at most ${maxBytes}; raise max_payload of nats-server or make it smaller`,
    { facts: { bytes: data.byteLength, maxBytes } },
  );
}

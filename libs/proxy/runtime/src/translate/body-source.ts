import { isUtf8 } from "node:buffer";
import type { DataSource } from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import type { LocalReply } from "@fairlead/proxy-filter";
import { rejection } from "./rejection.ts";

/** A body of the configuration: bytes that are no text stay what they are. */
export type BodySource = Pick<LocalReply, "body" | "bytes">;

/** @returns undefined without one. @throws FairleadError FL_XDS_REJECTED */
export function readBody(source: DataSource | undefined, field: string, maxBytes: number): BodySource | undefined {
  if (source?.specifier.case === undefined) return undefined;
  const { specifier } = source;
  if (specifier.case !== "inlineString" && specifier.case !== "inlineBytes")
    throw rejection(field, "only inline_string and inline_bytes are supported");
  const bytes = Buffer.from(specifier.value);
  if (bytes.length > maxBytes) throw rejection(field, `is more than ${maxBytes} bytes`);
  const body = bytes.toString("utf8");
  return isUtf8(bytes) ? { body } : { body, bytes };
}

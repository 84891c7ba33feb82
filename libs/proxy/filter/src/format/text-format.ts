import type { StreamInfo } from "../stream-info.ts";
import { logOperators } from "./command-operators.ts";
import { parseFormat } from "./parse-format.ts";

/** Envoy's default line. */
export const defaultTextFormat = `[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n`;

/** One request as a piece of the log; the line's end is part of the format. */
export type LogFormat = (info: StreamInfo) => string;

/**
 * @param options.omitEmpty what is not known is nothing instead of `-`
 * @returns undefined for a text that has an operator which is not known
 */
export function compileTextFormat(text: string, options: { readonly omitEmpty: boolean }): LogFormat | undefined {
  const parts = parseFormat(text, logOperators);
  if (parts === undefined) return undefined;
  const missing = options.omitEmpty ? "" : "-";
  return (info) => {
    let line = "";
    for (const part of parts) line += typeof part === "string" ? part : escaped(part(info) ?? missing);
    return line;
  };
}

const unsafe = /[\p{Cc}"\\]/u;

/** What a client sent must not look like the end of a field, or another line. */
function escaped(value: string | number): string | number {
  if (typeof value === "number" || !unsafe.test(value)) return value;
  return value.replaceAll(
    /[\p{Cc}"\\]/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

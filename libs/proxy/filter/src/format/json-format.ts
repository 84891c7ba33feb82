import type { StreamInfo } from "../stream-info.ts";
import { logOperators } from "./command-operators.ts";
import { type FormatPart, parseFormat } from "./parse-format.ts";
import type { LogFormat } from "./text-format.ts";

type JsonValue = string | number | boolean | null | JsonObject | readonly JsonValue[];
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Writes one value of the object; undefined = there is nothing, and it is to be left out. */
type Writer = (info: StreamInfo) => string | undefined;

/**
 * `{"status": "%RESPONSE_CODE%", "who": {"client": "%DOWNSTREAM_REMOTE_ADDRESS%"}}` as a line of JSON. A value that is one operator
 * alone keeps its type, and is null where nothing is known.
 *
 * @param options.omitEmpty what is not known is left out instead
 * @returns undefined for an operator that is not known
 */
export function compileJsonFormat(format: JsonObject, options: { readonly omitEmpty: boolean }): LogFormat | undefined {
  const write = objectWriter(format, options.omitEmpty);
  return write === undefined ? undefined : (info) => `${write(info) ?? "{}"}\n`;
}

function writerOf(value: JsonValue, omitEmpty: boolean): Writer | undefined {
  if (typeof value === "string") return textWriter(value, omitEmpty);
  if (isList(value)) return listWriter(value, omitEmpty);
  if (typeof value === "object" && value !== null) return objectWriter(value, omitEmpty);
  const constant = JSON.stringify(value);
  return () => constant;
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

function textWriter(text: string, omitEmpty: boolean): Writer | undefined {
  const parts = parseFormat(text, logOperators);
  if (parts === undefined) return undefined;
  const [only] = parts;
  if (parts.length === 1 && typeof only === "function") {
    const read = only.json ?? only;
    return (info) => {
      const value = read(info);
      return value === undefined ? (omitEmpty ? undefined : "null") : JSON.stringify(value);
    };
  }
  const missing = omitEmpty ? "" : "-";
  return (info) => JSON.stringify(joined(parts, info, missing));
}

function joined(parts: readonly FormatPart[], info: StreamInfo, missing: string): string {
  let text = "";
  for (const part of parts) text += typeof part === "string" ? part : (part(info) ?? missing);
  return text;
}

function listWriter(values: readonly JsonValue[], omitEmpty: boolean): Writer | undefined {
  const writers = values.map((value) => writerOf(value, omitEmpty));
  if (!writers.every((writer) => writer !== undefined)) return undefined;
  return (info) => `[${writers.flatMap((write) => write(info) ?? []).join(",")}]`;
}

function objectWriter(format: JsonObject, omitEmpty: boolean): Writer | undefined {
  const fields: { readonly key: string; readonly write: Writer }[] = [];
  for (const [key, value] of Object.entries(format)) {
    const write = writerOf(value, omitEmpty);
    if (write === undefined) return undefined;
    fields.push({ key: `${JSON.stringify(key)}:`, write });
  }
  return (info) => {
    let body = "";
    for (const { key, write } of fields) {
      const value = write(info);
      if (value !== undefined) body += `${body === "" ? "" : ","}${key}${value}`;
    }
    return `{${body}}`;
  };
}

import { create } from "@bufbuild/protobuf";
import {
  type HeaderValueOption,
  HeaderValueOption_HeaderAppendAction,
  HeaderValueOptionSchema,
} from "@fairlead/envoy-api/envoy/config/core/v3/base_pb.js";
import type { HeaderOperations, Headers } from "@fairlead/policy";
import { compareText } from "./compare-text.ts";

/** Proxies refuse to change it as a header; it is rewritten as the Host. */
const authorityNames: ReadonlySet<string> = new Set(["host", ":authority"]);

function options(
  values: Readonly<Record<string, string>>,
  appendAction: HeaderValueOption_HeaderAppendAction,
): HeaderValueOption[] {
  return Object.entries(values)
    .filter(([key]) => !authorityNames.has(key.toLowerCase()))
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([key, value]) =>
      // An empty value stays a value: without it a proxy leaves the header out.
      create(HeaderValueOptionSchema, { header: { key, value }, appendAction, keepEmptyValue: value === "" }),
    );
}

function toAdd(operations: HeaderOperations | undefined): HeaderValueOption[] {
  if (operations === undefined) return [];
  return [
    ...options(operations.set, HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD),
    ...options(operations.add, HeaderValueOption_HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD),
  ];
}

/** The header fields that routes and weighted clusters share. */
export function headerChanges(headers: Headers | undefined) {
  return {
    requestHeadersToAdd: toAdd(headers?.request),
    requestHeadersToRemove: [...(headers?.request?.remove ?? [])],
    responseHeadersToAdd: toAdd(headers?.response),
    responseHeadersToRemove: [...(headers?.response?.remove ?? [])],
  };
}

/** What `headers.request.set` makes of the Host. */
export function authorityOf(headers: Headers | undefined): string | undefined {
  return Object.entries(headers?.request?.set ?? {}).find(([key]) => authorityNames.has(key.toLowerCase()))?.[1];
}

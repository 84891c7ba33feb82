import { z } from "zod";
import { headerName, maxItems } from "./fields.ts";

/** What a proxy puts in for `%…%`: it refuses routes whose values it cannot read. */
const value = z
  .string()
  .max(4096)
  .regex(
    /^([^%]|%%|%[A-Z][A-Z0-9_]*(\([^)]*\))?(:\d+)?%)*$/,
    "expected a text; % is written %%, or begins one of Envoy's %COMMANDS%",
  );

/** The Host is no header that could be added to or removed; to set it is to rewrite it. */
const otherThanHost = headerName.refine((name) => name.toLowerCase() !== "host", "the Host can only be set");

const added = z.record(otherThanHost, value).default({}).describe("Adds the value to those that are there.");
const removed = z.array(otherThanHost).max(maxItems).default([]).describe("Removes the header.");

const request = z.strictObject({
  set: z
    .record(z.union([headerName, z.literal(":authority")]), value)
    .default({})
    .describe(
      "Replaces the header, or adds it. Values may hold Envoy's `%…%`. `Host` and `:authority` rewrite the Host.",
    ),
  add: added,
  remove: removed,
});

const response = z.strictObject({
  set: z.record(otherThanHost, value).default({}).describe("Replaces the header, or adds it."),
  add: added,
  remove: removed,
});
export type HeaderOperations = z.output<typeof request>;

export const headers = z.strictObject({
  request: request.optional().describe("Of the request, before it is sent on."),
  response: response.optional().describe("Of the response, before it is given back."),
});
export type Headers = z.output<typeof headers>;

import { z } from "zod";
import { headerName, maxItems } from "./fields.ts";
import { headerValue } from "./header-value.ts";

/** They frame the message or belong to the connection: a proxy takes no change of them. */
const framing: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "te",
  "transfer-encoding",
  "upgrade",
]);
const changeable = headerName.refine(
  (name) => !framing.has(name.toLowerCase()),
  "a header of the connection, or of the message's length, cannot be changed",
);
/** The Host is no header that could be added to or removed; to set it is to rewrite it. */
const isHost = (name: string) => name.toLowerCase() === "host" || name === ":authority";
const otherThanHost = changeable.refine((name) => !isHost(name), "the Host can only be set");

const setInRequest = z
  .record(z.union([changeable, z.literal(":authority")]), headerValue)
  .superRefine((values, context) => {
    for (const [name, value] of Object.entries(values)) {
      if (isHost(name) && value.includes("%"))
        context.addIssue({ code: "custom", path: [name], message: "the Host is rewritten to a text without commands" });
    }
  });

const added = z.record(otherThanHost, headerValue).default({}).describe("Adds the value to those that are there.");
const removed = z.array(otherThanHost).max(maxItems).default([]).describe("Removes the header.");

const request = z.strictObject({
  set: setInRequest
    .default({})
    .describe(
      "Replaces the header, or adds it. Values may hold commands; see Header values. `Host` and `:authority` rewrite the Host.",
    ),
  add: added,
  remove: removed,
});

const response = z.strictObject({
  set: z.record(otherThanHost, headerValue).default({}).describe("Replaces the header, or adds it."),
  add: added,
  remove: removed,
});
export type HeaderOperations = z.output<typeof request>;

export const headers = z.strictObject({
  request: request.optional().describe("Of the request, before it is sent on."),
  response: response.optional().describe("Of the response, before it is given back."),
});
export type Headers = z.output<typeof headers>;

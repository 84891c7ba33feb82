import { z } from "zod";

/** Envoy's command operators that our own proxy fills in too; one that it did not know would freeze the routes of every sidecar. */
export const headerCommands = [
  "BYTES_RECEIVED",
  "CONNECTION_ID",
  "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
  "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_DIRECT_REMOTE_PORT",
  "DOWNSTREAM_LOCAL_ADDRESS",
  "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_LOCAL_PORT",
  "DOWNSTREAM_LOCAL_URI_SAN",
  "DOWNSTREAM_PEER_SUBJECT",
  "DOWNSTREAM_PEER_URI_SAN",
  "DOWNSTREAM_REMOTE_ADDRESS",
  "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_REMOTE_PORT",
  "DOWNSTREAM_TLS_CIPHER",
  "DOWNSTREAM_TLS_VERSION",
  "DURATION",
  "FILTER_CHAIN_NAME",
  "HOSTNAME",
  "PROTOCOL",
  "REQUESTED_SERVER_NAME",
  "REQUEST_DURATION",
  "RESPONSE_CODE",
  "RESPONSE_CODE_DETAILS",
  "RESPONSE_FLAGS",
  "RESPONSE_FLAGS_LONG",
  "ROUTE_NAME",
  "START_TIME",
  "STREAM_ID",
  "UPSTREAM_CLUSTER",
  "UPSTREAM_HOST",
  "UPSTREAM_LOCAL_ADDRESS",
  "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
  "UPSTREAM_PROTOCOL",
  "UPSTREAM_REMOTE_ADDRESS",
  "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
  "UPSTREAM_REQUEST_ATTEMPT_COUNT",
  "UPSTREAM_TRANSPORT_FAILURE_REASON",
] as const;

/** `%REQ(x-a?x-b):20%`: the header, or the other one where it is missing; at most so many characters. */
export const headerReaders = ["REQ", "RESP"] as const;

const name = ":?[A-Za-z0-9!#$&'*+.^_`|~-]{1,128}";
const known = new RegExp(
  `^%(?:(?:${headerCommands.join("|")})|(?:${headerReaders.join("|")})\\(${name}(?:\\?${name})?\\)(?::\\d{1,5})?)%$`,
);

/** @returns what of the text is neither a command that is known nor `%%` */
function unknownCommand(text: string): string | undefined {
  return (text.match(/%%|%[^%]*%?/g) ?? []).find((part) => part !== "%%" && !known.test(part));
}

/** What a header is set to, with `%…%` for what the proxy puts in. */
export const headerValue = z
  .string()
  .max(4096)
  .refine((text) => /^[\t\x20-\x7e]*$/.test(text), "expected a text of printable ASCII")
  .superRefine((text, context) => {
    const part = unknownCommand(text);
    if (part === undefined) return;
    context.addIssue({
      code: "custom",
      message: `${part} is no command that proxies know; % itself is written %%. There are ${[...headerReaders.map((reader) => `%${reader}(header)%`), ...headerCommands.map((command) => `%${command}%`)].join(", ")}`,
    });
  });

import { z } from "zod";
import { headerName, labels, maxItems, objectName, portNumber } from "./fields.ts";
import { headerMatch, stringMatch } from "./string-match.ts";

/** `bookinfo-gateway`, `other-namespace/gateway`, or `mesh`: all sidecars. */
export const gatewayName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$/,
    "expected mesh, a gateway, or namespace/gateway",
  )
  .max(507);

/** Labels that `sourceLabels` may name of each node, also where it has none: its application … */
export const appLabel = "fairlead.io/app";
/** … and its address. */
export const addressLabel = "fairlead.io/address";

/** What is decided when it is compiled, by who the caller's proxy is; the same for http, tls and tcp. */
export const sourceFields = {
  port: portNumber
    .optional()
    .describe("The port that is called: a gateway's, or that of the Host in the mesh (none = 80)."),
  sourceLabels: labels
    .optional()
    .describe(
      "Only for proxies of nodes that have all of these labels; `fairlead.io/app` and `fairlead.io/address` are each node's own.",
    ),
  sourceNamespace: objectName.optional().describe("Only for proxies of nodes of this namespace."),
  gateways: z
    .array(gatewayName)
    .max(maxItems)
    .optional()
    .describe("Only at these of the gateways that the whole object is for."),
};

export const httpMatch = z.strictObject({
  name: z.string().max(128).optional().describe("Added to the route's name."),
  uri: stringMatch.optional().describe("The path without its query: `exact`, `prefix` or `regex`."),
  ignoreUriCase: z.boolean().default(false).describe("`exact` and `prefix` of `uri` take upper and lower case alike."),
  scheme: stringMatch.optional().describe("`http` or `https`."),
  method: stringMatch.optional().describe("`GET` …"),
  authority: stringMatch.optional().describe("The Host as the caller gave it."),
  headers: z.record(headerName, headerMatch).default({}).describe("Header → match; `{}` = is there."),
  withoutHeaders: z
    .record(headerName, headerMatch)
    .default({})
    .describe("Header → match that must fail; a call without the header matches."),
  queryParams: z
    .record(z.string().min(1).max(256), headerMatch)
    .default({})
    .describe("Parameter → match; `{}` = is there."),
  ...sourceFields,
  statPrefix: z.string().min(1).max(128).optional().describe("The route's statistics get this name."),
});
export type HttpMatch = z.output<typeof httpMatch>;

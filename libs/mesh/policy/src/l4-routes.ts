import { z } from "zod";
import { destination } from "./destination.ts";
import { maxItems, notImplemented, sniHost, subnet } from "./fields.ts";
import { sourceFields } from "./http-match.ts";
import { checkWeights } from "./http-route.ts";

const l4Match = {
  destinationSubnets: z
    .array(subnet)
    .max(maxItems)
    .default([])
    .describe("The address that is called is in one of these."),
  ...sourceFields,
};

const l4Destination = z.strictObject({
  destination: destination.describe("Where these connections go."),
  weight: z.number().int().min(0).max(1_000_000).optional().describe("The share of the connections."),
});

const route = z.array(l4Destination).min(1).max(maxItems).describe("Where connections go.");

export const tlsRoute = z
  .strictObject({
    match: z
      .array(
        z.strictObject({
          sniHosts: z
            .array(sniHost)
            .min(1)
            .max(maxItems)
            .describe("The server name of the handshake; `*.example.com` too."),
          ...l4Match,
        }),
      )
      .min(1)
      .max(maxItems)
      .describe("Alternatives. The TLS connection is passed on as it is."),
    route,
  })
  .superRefine((value, context) => checkWeights(value.route, context));
export type TlsRoute = z.output<typeof tlsRoute>;

export const tcpRoute = z
  .strictObject({
    match: z
      .array(z.strictObject({ sourceSubnet: notImplemented("use sourceLabels"), ...l4Match }))
      .max(maxItems)
      .default([])
      .describe("Alternatives; without any, all connections match."),
    route,
  })
  .superRefine((value, context) => checkWeights(value.route, context));
export type TcpRoute = z.output<typeof tcpRoute>;

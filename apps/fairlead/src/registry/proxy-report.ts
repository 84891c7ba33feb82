import { z } from "zod";

/** One type of configuration of one proxy. */
const typeStateSchema = z.object({
  type: z.string(),
  sentVersion: z.string().default(""),
  ackedVersion: z.string().default(""),
  /** ACKED, SENT, BLOCKED, NACKED or NOT_SUBSCRIBED. */
  state: z.string(),
  /** The proxy's reason for a NACK, or what a change waits for. */
  detail: z.string().default(""),
  /** Of the last change of state, in ms since 1970. */
  sinceMs: z.number(),
  /** The newest registry revision that was sent. */
  revision: z.number().default(0),
});

/** What GET /v1/proxies of registry-sync answers, merged from all gateways. */
export const proxyReportSchema = z.object({
  /** `error`: why it could not be asked. */
  gateways: z.array(z.object({ id: z.string(), error: z.string().optional() })),
  proxies: z.array(
    z.object({
      node: z.string(),
      app: z.string().default(""),
      gateway: z.string().default(""),
      types: z.array(typeStateSchema),
    }),
  ),
  /** Registered proxies that are connected to no gateway; not there while PostgreSQL does not answer. */
  unconnected: z
    .array(z.object({ node: z.string(), renewedAgoMs: z.number(), closedMs: z.number().optional() }))
    .optional(),
});
export type TypeState = z.output<typeof typeStateSchema>;

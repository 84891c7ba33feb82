import { z } from "zod";

/** One type of configuration of one proxy. */
const typeStateSchema = z.object({
  type: z.string(),
  sentVersion: z.string().default(""),
  ackedVersion: z.string().default(""),
  /** ACKED, SENT, BLOCKED or NACKED. */
  state: z.string(),
  /** Of a NACK: the proxy's reason. */
  detail: z.string().default(""),
  /** For how long it has been so. */
  sinceMs: z.number().default(0),
});

/** What GET /v1/proxies of registry-sync answers, merged from all gateways. */
export const proxyReportSchema = z.object({
  gateways: z.array(
    z.object({
      id: z.string(),
      debugUrl: z.string().default(""),
      revision: z.number().default(0),
      connected: z.number().default(0),
      reachable: z.boolean().default(true),
      error: z.string().optional(),
    }),
  ),
  proxies: z.array(
    z.object({
      node: z.string(),
      app: z.string().default(""),
      gateway: z.string().default(""),
      types: z.array(typeStateSchema),
    }),
  ),
});
export type ProxyReport = z.output<typeof proxyReportSchema>;
export type TypeState = z.output<typeof typeStateSchema>;

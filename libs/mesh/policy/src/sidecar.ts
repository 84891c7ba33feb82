import { z } from "zod";
import { maxItems, notImplemented, portNumber } from "./fields.ts";
import { connectionPool } from "./connection-pool.ts";
import { portName, portProtocol } from "./service-port.ts";
import { labelSelector } from "./workload-selector.ts";

const egressHost = z
  .string()
  .regex(
    /^(\*|\.|~|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)\/(\*|(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.$-]{0,251}[A-Za-z0-9_])?)$/,
    "expected namespace/host, such as ./*, */shop.Reviews or shop/*.example.com; ~/* is nothing",
  );

const egress = z.strictObject({
  hosts: z
    .array(egressHost)
    .min(1)
    .max(maxItems)
    .describe(
      "What its nodes see, as `namespace/host`: `*/*` all, `./*` its own namespace's, `~/*` nothing. See Namespaces.",
    ),
  port: notImplemented("a sidecar has one outbound port for all services"),
  bind: notImplemented("a sidecar has one outbound port for all services"),
  captureMode: notImplemented("traffic is not captured: applications call the sidecar's port"),
});

const ingress = z.strictObject({
  port: z
    .strictObject({
      number: portNumber.describe("The port that the application publishes."),
      protocol: portProtocol.default("HTTP").describe("Has no effect: the publication says it."),
      name: portName.optional().describe("Has no effect."),
    })
    .describe("Calls for instances that are published on this port …"),
  defaultEndpoint: z
    .string()
    .regex(/^(127\.0\.0\.1|\[::1\]):\d{1,5}$/, "expected an address of this machine and a port, such as 127.0.0.1:8080")
    .optional()
    .describe("… go here instead: `127.0.0.1:8080`."),
  connectionPool: connectionPool.optional().describe("Limits towards the application on this port."),
  bind: notImplemented("a sidecar has one inbound port for all services"),
  captureMode: notImplemented("traffic is not captured: callers call the sidecar's port"),
  tls: notImplemented("the sidecar's inbound side ends no TLS of the application"),
});

/** The spec of a Sidecar. */
export const sidecarSchema = z.strictObject({
  workloadSelector: labelSelector
    .optional()
    .describe("For these nodes; none: for all of the namespace. One with a selector wins."),
  egress: z
    .array(egress)
    .max(maxItems)
    .default([])
    .describe("What its nodes see. Without any: what they subscribed to, or everything."),
  ingress: z.array(ingress).max(maxItems).default([]).describe("How calls get to the application."),
  inboundConnectionPool: connectionPool
    .optional()
    .describe("Limits towards the application, on ports that `ingress` says nothing of."),
  outboundTrafficPolicy: z
    .strictObject({
      mode: z
        .enum(["REGISTRY_ONLY", "ALLOW_ANY"])
        .default("REGISTRY_ONLY")
        .refine((mode) => mode !== "ALLOW_ANY", "ALLOW_ANY is not implemented: use a ServiceEntry for each host")
        .describe("`REGISTRY_ONLY`: calls to a host that nobody knows get 502. `ALLOW_ANY` is refused."),
      egressProxy: notImplemented("use a VirtualService"),
    })
    .optional()
    .describe("What becomes of calls to unknown hosts. Without it they get 404."),
});
export type Sidecar = z.output<typeof sidecarSchema>;

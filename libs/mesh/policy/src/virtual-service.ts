import { z } from "zod";
import { exportTo, hostPattern, maxItems } from "./fields.ts";
import { gatewayName } from "./http-match.ts";
import { httpRoute } from "./http-route.ts";
import { tcpRoute, tlsRoute } from "./l4-routes.ts";
import { maxRouteBytes, routeBytes } from "./route-volume.ts";

/** The gateway that every sidecar is. */
export const meshGateway = "mesh";

/** The spec of a VirtualService. Hosts and headers keep their case; matching ignores it. */
export const virtualServiceSchema = z
  .strictObject({
    hosts: z
      .array(hostPattern)
      .max(maxItems)
      .default([])
      .describe("Whose calls these routes are for; see Hosts. Empty in a delegate."),
    gateways: z
      .array(gatewayName)
      .max(maxItems)
      .default([])
      .describe("Where the routes are in force: names of Gateways, `mesh` for all sidecars. Default: `mesh`."),
    http: z.array(httpRoute).max(maxItems).default([]).describe("Tried in order. A call that none matches gets 404."),
    tls: z.array(tlsRoute).max(maxItems).default([]).describe("For TLS that a gateway passes on (PASSTHROUGH)."),
    tcp: z
      .array(tcpRoute)
      .max(maxItems)
      .default([])
      .describe("For connections to a port that is neither HTTP nor TLS."),
    exportTo: exportTo.default(["*"]),
  })
  .superRefine((spec, context) => {
    if (spec.http.length + spec.tls.length + spec.tcp.length === 0) {
      context.addIssue({ code: "custom", message: "expected at least one of http, tls, tcp" });
    }
    if (routeBytes(spec.hosts.length, spec.http) > maxRouteBytes) {
      context.addIssue({
        code: "custom",
        path: ["http"],
        message: `each match is a route of each host: that would be more than ${maxRouteBytes / 1024 / 1024} MiB; split the hosts, or use fewer matches`,
      });
    }
    const inMesh = spec.gateways.length === 0 || spec.gateways.includes(meshGateway);
    if (spec.hosts.length === 0) {
      if (spec.gateways.length > 0 || spec.tls.length + spec.tcp.length > 0) {
        context.addIssue({
          code: "custom",
          path: ["hosts"],
          message: "only a delegate, which has http alone, has none",
        });
      }
      spec.http.forEach((route, index) => {
        if (route.delegate === undefined) return;
        context.addIssue({
          code: "custom",
          path: ["http", index, "delegate"],
          message: "a delegate cannot delegate",
        });
      });
    }
    for (const kind of ["tls", "tcp"] as const) {
      spec[kind].forEach(({ match }, index) => {
        const forMesh = ({ gateways = [] }: { gateways?: string[] | undefined }) =>
          inMesh && (gateways.length === 0 || gateways.includes(meshGateway));
        if (inMesh && (match.length === 0 || match.some(forMesh)))
          context.addIssue({
            code: "custom",
            path: [kind, index],
            message: `${kind} routes are for gateways, which \`gateways\` has to name: a sidecar takes calls over HTTP`,
          });
      });
    }
    spec.hosts.forEach((host, index) => {
      if (host !== "*" || !inMesh) return;
      context.addIssue({
        code: "custom",
        path: ["hosts", index],
        message: "* is for gateways only: every call of the mesh would take these routes",
      });
    });
  });

export type VirtualService = z.output<typeof virtualServiceSchema>;

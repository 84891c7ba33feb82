import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { typeUrls } from "@fairlead/envoy-api";
import { type VirtualHost, VirtualHostSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "@fairlead/envoy-api/envoy/config/route/v3/route_pb.js";
import type { ProvenanceEntry } from "@fairlead/snapshot";
import { encoded, type RenderedResource, type ResourceIdentity } from "./compiled.ts";
import { answerLimit, longestAnswer } from "./answer-limit.ts";
import { outboundListenerName, outboundRpcListenerName } from "./names.ts";
import { rpcVirtualHost } from "./rpc-virtual-host.ts";
import type { Audience } from "./audience.ts";
import type { HostPlan } from "./service-plan.ts";
import { namedClusters } from "./validate/named-clusters.ts";
import { notEncoded, refused, requireValid } from "./validate/require-valid.ts";
import { hostsProblem } from "./validate/route-checks.ts";
import { virtualHost } from "./virtual-host.ts";

/** A virtual host is rendered and encoded once, for all scopes that hold it. */
export interface EncodedVirtualHost {
  readonly name: string;
  readonly domains: readonly string[];
  /** Those that its routes name. */
  readonly clusters: readonly string[];
  /** As a field of a RouteConfiguration: tag, length, message. */
  readonly field: Uint8Array;
  readonly provenance: readonly ProvenanceEntry[];
  /** Bytes of the longest answer that it gives by itself. */
  readonly longestAnswer: number;
}

function encodedHost(host: VirtualHost, longest: number, provenance: readonly ProvenanceEntry[]): EncodedVirtualHost {
  requireValid(VirtualHostSchema, host, `the virtual host ${host.name}`, provenance);
  const { number } = RouteConfigurationSchema.field.virtualHosts;
  const message = toBinary(VirtualHostSchema, host);
  return {
    name: host.name,
    domains: host.domains,
    clusters: namedClusters(host),
    field: new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(message).finish(),
    provenance,
    longestAnswer: longest,
  };
}

export function encodedVirtualHost(plan: HostPlan, audience: Audience): EncodedVirtualHost {
  return encodedHost(virtualHost(plan, audience), longestAnswer(plan.routes), [
    ...plan.provenance,
    ...plan.routes.map(({ provenance }) => provenance),
  ]);
}

/** The way to the services of an interface over RPC. @param plans one for each protocol */
export function encodedRpcHost(plans: readonly HostPlan[]): EncodedVirtualHost {
  return encodedHost(rpcVirtualHost(plans), Math.max(...plans.map(({ routes }) => longestAnswer(routes))), [
    ...plans.flatMap(({ provenance }) => provenance),
    ...plans.flatMap(({ routes }) => routes.map(({ provenance }) => provenance)),
  ]);
}

/** Takes the calls to hosts that nobody knows: 502, as Istio's proxies do. */
export function refusingHost(): EncodedVirtualHost {
  const host = create(VirtualHostSchema, {
    name: "block_all",
    domains: ["*"],
    routes: [
      {
        name: "block_all",
        match: { pathSpecifier: { case: "prefix", value: "/" } },
        action: { case: "directResponse", value: { status: 502 } },
      },
    ],
  });
  return encodedHost(host, 0, []);
}

/** Each object once, in the order of its first mention. */
function provenanceOf(hosts: readonly EncodedVirtualHost[]): ProvenanceEntry[] {
  const entries: ProvenanceEntry[] = [];
  const policies = new Set<string>();
  for (const { provenance } of hosts) {
    for (const entry of provenance) {
      // A service has one virtual host, so only a policy can be mentioned again.
      if (entry.kind === "policy") {
        if (policies.has(entry.key)) continue;
        policies.add(entry.key);
      }
      entries.push(entry);
    }
  }
  return entries;
}

/** Joins bytes: protobuf's repeated messages are their encodings, one after the other. */
function routeConfiguration(identity: ResourceIdentity, hosts: readonly EncodedVirtualHost[]): RenderedResource {
  const provenance = provenanceOf(hosts);
  for (const rule of hostsProblem(hosts)) throw refused(identity.key, rule, provenance);
  const frame = create(RouteConfigurationSchema, {
    name: identity.name,
    validateClusters: false,
    // `shop.Orders:8080` is `shop.Orders`: a service's name has no port of its own.
    ignorePortInHostMatching: true,
    ...answerLimit(hosts.reduce((longest, host) => Math.max(longest, host.longestAnswer), 0)),
  });
  const parts = [toBinary(RouteConfigurationSchema, frame), ...hosts.map(({ field }) => field)];
  try {
    return encoded(identity, Buffer.concat(parts), provenance);
  } catch (caught) {
    // Of thousands the one that takes most of it.
    const largest = hosts.toSorted((a, b) => b.field.length - a.field.length)[0];
    throw notEncoded(identity.key, caught, largest?.provenance ?? []);
  }
}

/**
 * All virtual hosts of a scope.
 *
 * @param hosts in the order of their interface; one for each interface in any case: domains are unique
 */
export function outboundRoutes(scopeId: string, hosts: readonly EncodedVirtualHost[]): RenderedResource {
  return routeConfiguration(
    { key: `rds/${scopeId}/${outboundListenerName}`, typeUrl: typeUrls.route, name: outboundListenerName },
    hosts,
  );
}

/** The virtual hosts of a scope's Dubbo and bolt services. @param hosts as for `outboundRoutes` */
export function outboundRpcRoutes(scopeId: string, hosts: readonly EncodedVirtualHost[]): RenderedResource {
  return routeConfiguration(
    { key: outboundRpcRoutesKey(scopeId), typeUrl: typeUrls.route, name: outboundRpcListenerName },
    hosts,
  );
}

export function outboundRpcRoutesKey(scopeId: string): string {
  return `rds/${scopeId}/${outboundRpcListenerName}`;
}

/** The routes of one service alone, for proxyless clients. */
export function apiRoutes(plan: HostPlan): RenderedResource {
  const name = plan.host;
  return routeConfiguration({ key: `rds/api/${name}`, typeUrl: typeUrls.route, name, onDemand: true }, [
    encodedVirtualHost(plan, "grpcClients"),
  ]);
}

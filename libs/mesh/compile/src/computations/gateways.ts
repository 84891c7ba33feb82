import { createHash } from "node:crypto";
import { FairleadError } from "@fairlead/errors";
import { computation, type Reading } from "@fairlead/incremental";
import { routeBytes, typedPolicy } from "@fairlead/policy";
import type { RenderedResource } from "../compiled.ts";
import { type ConnectionChain, endsInHttp, gatewayListener, type ListeningPort } from "../gateway-listener.ts";
import {
  commonHosts,
  type GatewayInForce,
  type GatewayPlan,
  gatewayPlan,
  type PlannedPort,
  type PlannedServer,
} from "../gateway-plan.ts";
import { type GatewayHost, gatewayRoutes, plainRoutesName, secureRoutesName } from "../gateway-routes.ts";
import { isWithin } from "../host-pattern.ts";
import { hasLabels } from "../labels.ts";
import { routesWith } from "../match-source.ts";
import { outboundClusterName } from "../names.ts";
import { type PlannedConnections, type PlannedRoute, provenanceOf } from "../service-plan.ts";
import type { ConnectionTarget } from "../tcp-proxy.ts";
import type { Viewer } from "../viewer.ts";
import { callersKey, callersOf, clusterPlan, planKey } from "./clusters.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { gatewayKey, gatewaysOfLabel, labelText, nodes, virtualServicesOfGateway } from "./facts.ts";
import { type PolicyInUse, policyInUse } from "./policy-in-use.ts";
import { closedRoutes, gatewayBudget, type RouteVolume } from "./route-budget.ts";
import { routeKeys, targetKeys } from "./route-keys.ts";
import { viewerOfNode } from "./viewers.ts";
import { toRender } from "./virtual-hosts.ts";
import { virtualService, type VirtualServiceInForce } from "./virtual-services.ts";

/** Key: that of the policy. */
export const gateway = contribution<PolicyInUse<GatewayInForce>>(
  "Gateway",
  (key) => ({ kind: "policy", key }),
  (reading, key) =>
    policyInUse(reading, key, (policy) => {
      const typed = typedPolicy(policy);
      if (typed.kind !== "Gateway") throw new Error(`${key} is a ${typed.kind}`);
      // Nobody hands secrets out: a listener that waits for one takes no connection.
      const waiting = typed.spec.servers.find(
        ({ tls }) => tls?.credentialName !== undefined || tls?.mode === "ISTIO_MUTUAL",
      );
      if (waiting !== undefined)
        throw new FairleadError(
          "FL_POLICY_UNSUPPORTED",
          `Gateway ${policy.namespace}/${policy.name}: tls of port ${waiting.port.number} with ${waiting.tls?.mode === "ISTIO_MUTUAL" ? "ISTIO_MUTUAL" : "credentialName"}: the mesh hands out no certificates yet; use files`,
          { facts: { file: policy.file, line: policy.line } },
        );
      return { key, namespace: policy.namespace, gateway: typed.spec, provenance: provenanceOf(policy) };
    }),
);

// The key of a set of Gateways is theirs, sorted, a line each. Nodes of the same set share routes.

/** The Gateways that a node is; empty for a node that is none. Key: the node's id. */
export const gatewaysOfNode = computation("gateways of a node", (reading, id): string => {
  const labels = reading.get(nodes, id)?.labels ?? {};
  const keys = Object.entries(labels).flatMap(([name, value]) => reading.get(gatewaysOfLabel, labelText(name, value)));
  return [...new Set(keys)]
    .filter((key) => {
      const { use } = reading.get(gateway, key);
      return use !== undefined && hasLabels({ labels }, use.gateway.selector);
    })
    .toSorted()
    .join("\n");
});

const planOf = computation("plan of a gateway", (reading, set): GatewayPlan =>
  gatewayPlan(set.split("\n").flatMap((key) => reading.get(gateway, key).use ?? [])),
);

/** The VirtualServices of a server with the hosts that both have. */
function bound(reading: Reading, server: PlannedServer) {
  return reading.get(virtualServicesOfGateway, server.key).flatMap((key) => {
    const { use } = reading.get(virtualService, key);
    if (use === undefined || !use.spec.gateways.some((name) => gatewayKey(name, use.namespace) === server.key))
      return [];
    const isVisible = use.spec.exportTo.some(
      (to) => to === "*" || (to === "." ? use.namespace : to) === server.namespace,
    );
    if (!isVisible) return [];
    const hosts = commonHosts(server, use.spec.hosts, use.namespace);
    return hosts.length === 0 ? [] : [{ use, hosts }];
  });
}

interface SourceMatch {
  readonly port?: number | undefined;
  readonly gateways?: readonly string[] | undefined;
  readonly sourceLabels?: Readonly<Record<string, string>> | undefined;
  readonly sourceNamespace?: string | undefined;
}

/** Whether a match is for what comes in here. As in Istio, callers from outside of the mesh have no labels and no namespace. */
function isHere(match: SourceMatch, { server, key }: PlannedServer, { namespace }: VirtualServiceInForce): boolean {
  const names = match.gateways ?? [];
  return (
    (match.port === undefined || match.port === server.port.number) &&
    (names.length === 0 || names.some((name) => gatewayKey(name, namespace) === key)) &&
    Object.keys(match.sourceLabels ?? {}).length === 0 &&
    match.sourceNamespace === undefined
  );
}

/** The routes that a server has of a VirtualService; its port is known, and need not be matched again. */
function routesHere(server: PlannedServer, use: VirtualServiceInForce): PlannedRoute[] {
  return routesWith(use.routes, (match) => {
    if (!isHere(match, server, use)) return undefined;
    if (match.port === undefined) return match;
    const { port: _, ...rest } = match;
    return rest;
  });
}

/** About what the routes of each VirtualService take: a server has them for each of the hosts that both have. */
function volumeOf(reading: Reading, ports: readonly PlannedPort[]): RouteVolume {
  const volume = new Map<string, number>();
  for (const { kind, servers } of ports) {
    for (const server of servers) {
      if ((kind !== "http" && !endsInHttp(server)) || server.server.tls?.httpsRedirect === true) continue;
      for (const { use, hosts } of bound(reading, server)) {
        const { key } = use.provenance;
        volume.set(key, routeBytes(hosts.length, use.http) + (volume.get(key) ?? 0));
      }
    }
  }
  return volume;
}

/** The domains of servers that share routes, each once. */
function hostsOf(
  reading: Reading,
  servers: readonly PlannedServer[],
  viewer: Viewer,
  closed: ReadonlySet<string>,
): { host: GatewayHost; planned: PlannedRoute[] }[] {
  const domains = new Map<string, { planned: PlannedRoute[]; httpsRedirect: boolean }>();
  for (const server of servers) {
    if (server.server.tls?.httpsRedirect === true) {
      for (const { host } of server.hosts) domains.set(host, { planned: [], httpsRedirect: true });
      continue;
    }
    for (const { use, hosts } of bound(reading, server)) {
      const routes = closed.has(use.provenance.key) ? closedRoutes(use.provenance) : routesHere(server, use);
      if (routes.length === 0) continue;
      for (const domain of hosts) {
        const entry = domains.get(domain) ?? { planned: [], httpsRedirect: false };
        domains.set(domain, entry);
        // Two Gateways of one port may bind the same VirtualService.
        if (!entry.httpsRedirect) entry.planned.push(...routes.filter((route) => !entry.planned.includes(route)));
      }
    }
  }
  return [...domains].map(([domain, { planned, httpsRedirect }]) => ({
    planned,
    host: { domain, httpsRedirect, routes: planned.map((route) => toRender(reading, route, viewer)) },
  }));
}

function targetsOf(reading: Reading, { destinations }: PlannedConnections, viewer: Viewer): ConnectionTarget[] {
  return destinations.map(({ service, subset, weight }) => {
    const plan = reading.get(clusterPlan, planKey(reading, service, viewer));
    const part = [plan?.whole, ...(plan?.subsets ?? [])].find((candidate) => candidate?.name === subset);
    return {
      cluster: outboundClusterName(service, subset),
      weight,
      idleTimeoutMs: part?.policy.connectionPool?.tcp?.idleTimeout,
    };
  });
}

/** The chains of a server that passes connections on. */
function chainsOf(
  reading: Reading,
  server: PlannedServer,
  viewer: Viewer,
): { chain: ConnectionChain; planned: PlannedConnections }[] {
  const { protocol } = server.server.port;
  const isBytes = protocol === "TCP" || protocol === "TLS" || (protocol === "HTTPS" && !endsInHttp(server));
  if (!isBytes) return [];
  const passesTls = server.server.tls?.mode === "PASSTHROUGH";
  const ends = protocol === "TCP" || passesTls ? undefined : server;
  return bound(reading, server).flatMap(({ use }) =>
    (passesTls ? use.tls : use.tcp).flatMap((planned) => {
      const matches = planned.match.length === 0 ? [{ sniHosts: [], destinationSubnets: [] }] : planned.match;
      return matches
        .filter((match) => isHere(match, server, use))
        .flatMap(({ sniHosts, destinationSubnets }) => {
          const own = server.hosts.map(({ host }) => host);
          const names = passesTls
            ? sniHosts.map((name) => name.toLowerCase()).filter((name) => own.some((host) => isWithin(name, host)))
            : ends === undefined
              ? []
              : own;
          if (passesTls && names.length === 0) return [];
          const targets = targetsOf(reading, planned, viewer);
          return [{ planned, chain: { serverNames: names, subnets: destinationSubnets, targets, endsTlsOf: ends } }];
        });
    }),
  );
}

/** Two chains that take the same connections are refused by proxies: the first one's counts. */
function distinct<Found extends { readonly chain: ConnectionChain }>(found: readonly Found[]): Found[] {
  const seen = new Set<string>();
  return found.flatMap((one) => {
    const { subnets, serverNames } = one.chain;
    const ranges =
      subnets.length === 0 ? [""] : subnets.map(({ address, prefixLength }) => `${address}/${prefixLength}`);
    const names = serverNames.length === 0 ? ["*"] : serverNames;
    const left = names.filter((name) => !ranges.every((range) => seen.has(`${name} ${range}`)));
    if (left.length === 0) return [];
    for (const name of left) for (const range of ranges) seen.add(`${name} ${range}`);
    return [{ ...one, chain: { ...one.chain, serverNames: serverNames.length === 0 ? [] : left } }];
  });
}

interface GatewayContent extends Contribution {
  readonly listening: readonly ListeningPort[];
  /** The keys of its routes, clusters and endpoints. */
  readonly keys: readonly string[];
}

/** The key of what the nodes of a set, that policies do not tell apart, share. */
function contentKey(reading: Reading, set: string, id: string): string {
  return callersKey(set, reading.get(viewerOfNode, id));
}

/** What such nodes share: routes, and what listeners pass on. */
export const gatewayContent = contribution<GatewayContent>(
  "gateway",
  (key) => ({ kind: "policy", key: callersOf(key).callee.split("\n")[0]! }),
  (reading, content) => {
    const { callee: set, viewer } = callersOf(content);
    const id = `gateway-${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
    const { ports, conflicts } = reading.get(planOf, set);
    const resources: RenderedResource[] = [];
    const keys = new Set<string>();
    const { closed, rejected } = gatewayBudget(reading, volumeOf(reading, ports));
    const addRoutes = (name: string, servers: readonly PlannedServer[], tls: boolean) => {
      const found = hostsOf(reading, servers, viewer, closed);
      const provenance = servers.map((server) => server.provenance);
      const resource = gatewayRoutes(
        id,
        name,
        found.map(({ host }) => host),
        tls,
        provenance,
      );
      resources.push(resource);
      keys.add(resource.key);
      for (const { planned } of found)
        for (const route of planned) for (const key of routeKeys(reading, route, viewer)) keys.add(key);
    };
    const listening = ports.map((port: PlannedPort): ListeningPort => {
      if (port.kind === "http") addRoutes(plainRoutesName(port), port.servers, false);
      for (const server of port.servers) if (endsInHttp(server)) addRoutes(secureRoutesName(server), [server], true);
      const chains = distinct(port.servers.flatMap((server) => chainsOf(reading, server, viewer)));
      for (const { planned } of chains)
        for (const target of planned.destinations) for (const key of targetKeys(reading, target, viewer)) keys.add(key);
      return { port, connections: chains.map(({ chain }) => chain) };
    });
    return { resources, listening, keys: [...keys], rejected: [...conflicts, ...rejected] };
  },
  () => ({ listening: [], keys: [] }),
);

/** The listeners of a node that is a gateway. Key: the node's id. */
export const gatewayListeners = contribution<Contribution>(
  "gateway listeners",
  (key) => ({ kind: "node", key }),
  (reading, id) => {
    const set = reading.get(gatewaysOfNode, id);
    const node = reading.get(nodes, id);
    if (set === "" || node === undefined) return { resources: [] };
    const { listening } = reading.get(gatewayContent, contentKey(reading, set, id));
    return { resources: listening.flatMap((port) => gatewayListener(node, port) ?? []) };
  },
);

/** What a node holds because it is a gateway. Key: the node's id. */
export const gatewayKeys = computation("gateway keys", (reading, id): readonly string[] => {
  const set = reading.get(gatewaysOfNode, id);
  if (set === "") return [];
  const listeners = reading.get(gatewayListeners, id).resources ?? [];
  return [...reading.get(gatewayContent, contentKey(reading, set, id)).keys, ...listeners.map(({ key }) => key)];
});

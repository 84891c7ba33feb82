import { computation, type Reading } from "@fairlead/incremental";
import { type Service, serviceKey } from "@fairlead/model";
import { httpRank, outboundClusterName } from "../names.ts";
import { outboundRoutes } from "../outbound-routes.ts";
import { scopeIdOf } from "../scope.ts";
import { compareText } from "../compare-text.ts";
import type { RejectedObject } from "../service-plan.ts";
import { apiKeys } from "./api-resources.ts";
import { clusterNames } from "./clusters.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { all, subscriptions, subscriptionsOfNode } from "./facts.ts";
import { allInterfaces, servicesCalled } from "./services.ts";
import { proxyVirtualHost } from "./virtual-hosts.ts";
import { routesOf } from "./virtual-services.ts";

// The key of a scope is its interfaces in lower case, sorted, a line each; that of the scope of everything is empty.

function idOf(scope: string): string {
  return scopeIdOf(new Set(scope === all ? [] : scope.split("\n")));
}

/** Key: the node's id. */
export const scopeOfNode = computation("scope of a node", (reading, id): string => {
  const names = reading
    .get(subscriptionsOfNode, id)
    .map((key) => reading.get(subscriptions, key)!.interface.toLowerCase());
  return [...new Set(names)].toSorted(compareText).join("\n");
});

/** What who sees an interface holds of it. */
interface InterfaceContent {
  /** The key of the service that has the virtual host: an interface over several of HTTP's protocols has one, the plainest's. */
  readonly routed: string | undefined;
  /** Its clusters, and those that its routes lead to. */
  readonly clusters: readonly string[];
  readonly apiKeys: readonly string[];
}

const callable = (reading: Reading, name: string): Service[] =>
  reading.get(servicesCalled, name).filter((service) => reading.get(clusterNames, serviceKey(service)).length > 0);

/** Key: the interface in lower case. */
const interfaceContent = computation("content of an interface", (reading, name): InterfaceContent => {
  const visible = callable(reading, name);
  const routed = visible.find(({ protocol }) => httpRank(protocol) !== undefined);
  const keys = visible.map(serviceKey);
  // Of all that are visible: an API listener has routes also where another protocol has the virtual host.
  const destinations = keys
    .flatMap((key) => reading.get(routesOf, key))
    .flatMap((route) => route.destinations)
    .map(({ service, subset }) => outboundClusterName(service, subset));
  return {
    routed: routed === undefined ? undefined : serviceKey(routed),
    clusters: [...new Set([...keys.flatMap((key) => reading.get(clusterNames, key)), ...destinations])],
    apiKeys: keys.flatMap((key) => reading.get(apiKeys, key)),
  };
});

function contents(reading: Reading, scope: string): InterfaceContent[] {
  const names = scope === all ? reading.get(allInterfaces, all) : scope.split("\n");
  return names.map((name) => reading.get(interfaceContent, name));
}

export const scopeRoutes = contribution<Contribution>(
  "outbound routes",
  (key) => ({ kind: "subscription", key }),
  (reading, scope) => {
    const hosts = contents(reading, scope).flatMap(({ routed }) =>
      routed === undefined ? [] : (reading.get(proxyVirtualHost, routed).host ?? []),
    );
    return { resources: [outboundRoutes(idOf(scope), hosts)] };
  },
);

export const scopeView = contribution<Contribution>(
  "scope",
  (key) => ({ kind: "subscription", key }),
  (reading, scope) => {
    const id = idOf(scope);
    const keys = new Set([`rds/${id}/outbound`]);
    for (const { clusters, apiKeys: listeners } of contents(reading, scope)) {
      for (const name of clusters) keys.add(`cds/${name}`).add(`eds/${name}`);
      for (const key of listeners) keys.add(key);
    }
    return { scope: { id, keys } };
  },
);

/** Services that cannot be called by name because another's interface is the same but for upper and lower case. Key: the interface in lower case. */
export const shadowedServices = contribution<Contribution>(
  "shadowed services",
  (key) => ({ kind: "service", key }),
  (reading, name) => {
    const http = callable(reading, name).filter(({ protocol }) => httpRank(protocol) !== undefined);
    return { rejected: http.filter((service) => service.interface !== http[0]!.interface).map(nameTaken) };
  },
);

function nameTaken(service: Service): RejectedObject {
  return {
    provenance: { kind: "service", key: serviceKey(service) },
    code: "FL_SERVICE_NAME_TAKEN",
    message: `${service.interface} cannot be called by name: another service's interface is the same but for upper and lower case`,
  };
}

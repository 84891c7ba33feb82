import { computation, type Reading } from "@fairlead/incremental";
import { serviceKey } from "@fairlead/model";
import { type Callee, calleeKey } from "../callee.ts";
import { compareText } from "../compare-text.ts";
import { httpRank, isRpc } from "../names.ts";
import { type EncodedVirtualHost, outboundRoutes, outboundRpcRoutes, refusingHost } from "../outbound-routes.ts";
import { type Scope, scopeIdOf, scopeKey, scopeOf } from "../scope.ts";
import { rejection, type RejectedObject } from "../service-plan.ts";
import { objectsAtFault, refused } from "../validate/require-valid.ts";
import { anyViewer, narrowed, withoutPlace } from "../viewer.ts";
import { apiKeys } from "./api-resources.ts";
import { clusterKeys } from "./cluster-keys.ts";
import { clusterNames } from "./clusters.ts";
import { type Contribution, contribution } from "./contribution.ts";
import { all, nodes, subscriptions, subscriptionsOfNode } from "./facts.ts";
import { gatewaysOfNode } from "./gateways.ts";
import { routeClusters, routeKeys } from "./route-keys.ts";
import { allInterfaces, nameSeen, servicesCalled } from "./services.ts";
import { namesOfSidecar, sidecarInForce, sidecarOfNode } from "./sidecars.ts";
import { viewerOfNode } from "./viewers.ts";
import { isVisible, proxyVirtualHost, questionsOf, routesOf, rpcVirtualHost, seenKey } from "./virtual-hosts.ts";

/** What a node's application subscribed to. Key: the node's id. */
const subscribedBy = computation("subscribed by a node", (reading, id): readonly string[] =>
  reading
    .get(subscriptionsOfNode, id)
    .map((key) => reading.get(nameSeen, reading.get(subscriptions, key)!.interface.toLowerCase())),
);

/** What a node sees: what it subscribed to and what its Sidecar says; a gateway that is no sidecar only what its routes lead to. */
function namesOf(reading: Reading, id: string): readonly string[] | undefined {
  const subscribed = reading.get(subscribedBy, id);
  const policy = reading.get(sidecarOfNode, id);
  const allowed = policy === undefined ? undefined : reading.get(namesOfSidecar, policy);
  if (subscribed.length > 0 || allowed !== undefined)
    return [...new Set([...subscribed, ...(allowed ?? [])])].toSorted(compareText);
  const isGateway = reading.get(gatewaysOfNode, id) !== "" && reading.get(outboundPortOf, id) === undefined;
  return isGateway ? [] : undefined;
}

const outboundPortOf = computation("outbound port", (reading, id) => reading.get(nodes, id)?.outboundPort);

/** Key: the node's id. */
export const scopeOfNode = computation("scope of a node", (reading, id): string =>
  scopeKey({
    viewer: reading.get(viewerOfNode, id),
    names: namesOf(reading, id),
    refusesUnknown: reading.get(sidecarInForce, id)?.outboundTrafficPolicy !== undefined,
  }),
);

/** What who sees an interface holds of it. */
interface InterfaceContent {
  /** What has the virtual host: of an interface over several of HTTP's protocols the plainest's. */
  readonly routed: Callee | undefined;
  /** The names of its clusters, and of those that its routes lead to. */
  readonly clusters: ReadonlySet<string>;
  /** What has the virtual host for RPC: one of each protocol. */
  readonly rpc: readonly Callee[];
  /** The keys of its clusters and endpoints, and of those that its routes lead to. */
  readonly keys: readonly string[];
}

const callable = (reading: Reading, name: string): Callee[] =>
  reading.get(servicesCalled, name).filter((service) => reading.get(clusterNames, calleeKey(service)).length > 0);

/** Key: the interface in lower case, a line, the viewer. */
const interfaceContent = computation("content of an interface", (reading, key): InterfaceContent => {
  const end = key.indexOf("\n");
  const [name, viewer] = [key.slice(0, end), key.slice(end + 1)];
  const visible = callable(reading, name).filter((callee) => isVisible(reading, callee, viewer));
  const keys = visible.map((callee) => calleeKey(callee));
  // Of all that are visible: an API listener has routes also where another protocol has the virtual host, those of any viewer.
  const routes = visible.flatMap((callee) =>
    [viewer, anyViewer].flatMap((one) => reading.get(routesOf, seenKey(reading, callee, one))),
  );
  const own = visible.map((callee) => clusterKeys(reading, callee, viewer));
  return {
    clusters: new Set([...own.flatMap((found) => [...found.keys()]), ...routes.flatMap(routeClusters)]),
    routed: visible.find(({ protocol }) => httpRank(protocol) !== undefined),
    rpc: firstOfEach(visible.filter(({ protocol, port }) => port === undefined && isRpc(protocol))),
    keys: [
      ...new Set([
        ...own.flatMap((found) => [...found.values()].flat()),
        ...routes.flatMap((route) => routeKeys(reading, route, viewer)),
        ...keys.flatMap((callee) => reading.get(apiKeys, callee)),
      ]),
    ],
  };
});

function firstOfEach(callees: readonly Callee[]): Callee[] {
  return callees.filter(({ protocol }, i) => callees.findIndex((other) => other.protocol === protocol) === i);
}

interface HostInView extends Contribution {
  readonly host?: EncodedVirtualHost;
}

/**
 * The virtual host of an interface, for who holds the interface's content and perhaps nothing else: where its routes lead to a cluster
 * that is not in there, it is left out, or stays as it was when they did not. Key: that of the content.
 */
const hostInView = contribution<HostInView>(
  "virtual host of an interface",
  (key) => ({ kind: "service", key: key.slice(0, key.indexOf("\n")) }),
  (reading, key, previous) => {
    const { routed, clusters } = reading.get(interfaceContent, key);
    if (routed === undefined) return {};
    const { host } = reading.get(proxyVirtualHost, seenKey(reading, routed, key.slice(key.indexOf("\n") + 1)));
    return host === undefined ? {} : inView(host, clusters, previous?.host);
  },
);

/** As `hostInView`, for RPC. */
const rpcHostInView = contribution<HostInView>(
  "virtual host of an interface for RPC",
  (key) => ({ kind: "service", key: key.slice(0, key.indexOf("\n")) }),
  (reading, key, previous) => {
    const { rpc, clusters } = reading.get(interfaceContent, key);
    if (rpc.length === 0) return {};
    const viewer = key.slice(key.indexOf("\n") + 1);
    const plans = rpc.map((callee) => seenKey(reading, callee, viewer)).join("\f");
    const { host } = reading.get(rpcVirtualHost, plans);
    return host === undefined ? {} : inView(host, clusters, previous?.host);
  },
);

function inView(
  host: EncodedVirtualHost,
  held: ReadonlySet<string>,
  before: EncodedVirtualHost | undefined,
): HostInView {
  const missing = ({ clusters }: EncodedVirtualHost) => clusters.find((name) => !held.has(name));
  const lacked = missing(host);
  if (lacked === undefined) return { host };
  const error = refused(`the virtual host ${host.name}`, `no proxy would have its cluster ${lacked}`, host.provenance);
  const atFault = objectsAtFault(error);
  const rejected = (atFault.length > 0 ? atFault : host.provenance).map((object) => rejection(object, error));
  return before !== undefined && missing(before) === undefined ? { host: before, rejected } : { rejected };
}

/** The keys of the contents of the interfaces that a scope sees. */
function contentKeys(reading: Reading, { names, viewer }: Scope): string[] {
  return (names ?? reading.get(allInterfaces, all)).map((name) => {
    const { who, where } = reading.get(questionsOf, name);
    const questions = new Set([...who, ...where]);
    return `${name}\n${narrowed(viewer, questions)}`;
  });
}

/** What a scope calls over RPC: keys of what its viewer sees of each service, as `hostPlan` takes them. Key: the scope. */
export const rpcCalleesOfScope = computation("RPC services of a scope", (reading, key): readonly string[] =>
  contentKeys(reading, scopeOf(key)).flatMap((content) => {
    const viewer = content.slice(content.indexOf("\n") + 1);
    return reading.get(interfaceContent, content).rpc.map((callee) => seenKey(reading, callee, viewer));
  }),
);

/** The scope whose routes are those of a scope: where a caller is makes no difference to them. */
export function routesScope(key: string): string {
  const scope = scopeOf(key);
  return scopeKey({ ...scope, viewer: withoutPlace(scope.viewer) });
}

/** Key: see `routesScope`. */
export const scopeRoutes = contribution<Contribution>(
  "outbound routes",
  (key) => ({ kind: "subscription", key: scopeIdOf(key) }),
  (reading, key) => {
    const scope = scopeOf(key);
    const hosts = contentKeys(reading, scope).flatMap((content) => reading.get(hostInView, content).host ?? []);
    return { resources: [outboundRoutes(scopeIdOf(key), scope.refusesUnknown ? [...hosts, refusingHost()] : hosts)] };
  },
);

/** For the nodes of the scope that take RPC calls. */
export const scopeRpcRoutes = contribution<Contribution>(
  "outbound routes for RPC",
  (key) => ({ kind: "subscription", key: scopeIdOf(key) }),
  (reading, key) => {
    const hosts = contentKeys(reading, scopeOf(key)).flatMap(
      (content) => reading.get(rpcHostInView, content).host ?? [],
    );
    return { resources: [outboundRpcRoutes(scopeIdOf(key), hosts)] };
  },
);

export const scopeView = contribution<Contribution>(
  "scope",
  (key) => ({ kind: "subscription", key: scopeIdOf(key) }),
  (reading, key) => {
    const id = scopeIdOf(key);
    const keys = contentKeys(reading, scopeOf(key)).flatMap((content) => reading.get(interfaceContent, content).keys);
    return { scope: { id, keys: new Set([`rds/${scopeIdOf(routesScope(key))}/outbound`, ...keys]) } };
  },
);

/** Services that cannot be called by name because another's interface is the same but for upper and lower case. Key: the interface in lower case. */
export const shadowedServices = contribution<Contribution>(
  "shadowed services",
  (key) => ({ kind: "service", key }),
  (reading, name) => {
    const http = callable(reading, name).filter(
      ({ protocol, port }) => port === undefined && httpRank(protocol) !== undefined,
    );
    return { rejected: http.filter((service) => service.interface !== http[0]!.interface).map(nameTaken) };
  },
);

function nameTaken(service: Callee): RejectedObject {
  return {
    provenance: { kind: "service", key: serviceKey(service) },
    code: "FL_SERVICE_NAME_TAKEN",
    message: `${service.interface} cannot be called by name: another service's interface is the same but for upper and lower case`,
  };
}
